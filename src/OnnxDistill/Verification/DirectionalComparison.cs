using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Verification;

/// <summary>A tensor that is moved, where it stands, and the gradient to be judged (null for one said to be zero).</summary>
internal sealed record MovedTensor(string Name, TensorData At, double[]? Gradient);

/// <summary>A gradient's slope against the measured one along random directions; analytic and numeric are those of the worst direction.</summary>
/// <param name="Analytic">The gradient times the direction.</param>
/// <param name="Numeric">The same by central differences.</param>
/// <param name="Error">Largest difference of the two over all directions, relative to the size that slopes have here.</param>
/// <param name="Uncertainty">Largest uncertainty of the measurements, relative to the same size.</param>
internal sealed record DirectionalComparison(double Analytic, double Numeric, double Error, double Uncertainty)
{
    /// <summary>Tensors smaller than this (a bias that starts at 0) move as if their elements had this size.</summary>
    private const double LeastSize = 0.1;

    /// <summary>Relative uncertainty at which a measurement is not refined: wrong factors and lost terms show long before.</summary>
    private const double GoodEnough = 1e-3;

    /// <summary>Moves the tensors together along random directions and compares.</summary>
    /// <param name="tensors">What moves, each by a step in units of its own root mean square.</param>
    /// <param name="loss">The function, given the moved tensors by name.</param>
    /// <param name="firstStep">Widest step, relative to the tensors' sizes.</param>
    /// <param name="directions">How many directions.</param>
    /// <param name="seed">Seed of the directions.</param>
    /// <param name="rounding">By how much rounding blurs the function.</param>
    public static DirectionalComparison Of(IReadOnlyList<MovedTensor> tensors, Func<IReadOnlyDictionary<string, TensorData>, double> loss,
        double firstStep, int directions, long seed, double rounding = 0)
    {
        var starts = tensors.Select(t => t.At.ToDoubles()).ToArray();
        var slopes = new List<(double Analytic, MeasuredDerivative Numeric)>();
        var size = 0.0;
        for (var d = 0; d < directions; d++)
        {
            var direction = tensors.Select((t, i) => Direction(t.Name, starts[i], seed, d)).ToArray();
            var terms = tensors.SelectMany((t, i) => t.Gradient is { } g ? g.Zip(direction[i], static (a, b) => a * b) : []).ToArray();
            // Signs are random, so the slope's typical size is the root of the summed squares: a direction that happens to run along a level
            // line does not blow the relative error up.
            var typical = Math.Sqrt(terms.Sum(static t => t * t));
            var numeric = CentralDifference.At0(step => loss(Moved(tensors, starts, direction, step)), firstStep, GoodEnough * typical, rounding);
            slopes.Add((terms.Sum(), numeric));
            size = Max(size, Math.Abs(numeric.Value), typical);
        }
        double Relative(double value) => value == 0 ? 0 : Math.Abs(value) / size;
        var worst = slopes.MaxBy(s => double.IsNaN(s.Analytic - s.Numeric.Value) ? double.PositiveInfinity : Math.Abs(s.Analytic - s.Numeric.Value));
        return new DirectionalComparison(worst.Analytic, worst.Numeric.Value, Relative(worst.Analytic - worst.Numeric.Value),
            Relative(slopes.Max(static s => s.Numeric.Uncertainty)));
    }

    // Math.Max passes NaN on, which is wanted: a slope that is no number must not look small.
    private static double Max(double a, double b, double c) => Math.Max(a, Math.Max(b, c));

    /// <summary>Random signs with sizes from 1/2 to 1: no element stands still, and none moves far enough to cross a kink nearby.</summary>
    private static double[] Direction(string name, double[] start, long seed, int index)
    {
        var draws = new float[start.Length];
        new NoiseStream(seed, StreamId.Named($"direction/{name}")).FillUniform(draws, index);
        var size = Math.Max(LeastSize, Math.Sqrt(start.Sum(static v => v * v) / Math.Max(1, start.Length)));
        return Array.ConvertAll(draws, u => size * (u < 0.5f ? -0.5 - u : u));
    }

    private static Dictionary<string, TensorData> Moved(IReadOnlyList<MovedTensor> tensors, double[][] starts, double[][] directions, double step)
    {
        var moved = new Dictionary<string, TensorData>(StringComparer.Ordinal);
        for (var i = 0; i < tensors.Count; i++)
        {
            var (start, direction) = (starts[i], directions[i]);
            var data = new double[start.Length];
            for (var j = 0; j < data.Length; j++)
                data[j] = start[j] + (step * direction[j]);
            var at = tensors[i].At;
            moved[tensors[i].Name] = at.Type == ElementType.Float64
                ? TensorData.Of(data, at.Dims)
                : TensorData.Of(Array.ConvertAll(data, static v => (float)v), at.Dims);
        }
        return moved;
    }
}
