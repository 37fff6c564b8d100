using OnnxDistill.Graph;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>
/// A schedule of finitely many levels, as networks with integer steps are trained on. Either a level is rounded to the nearest one, whose sigma and alpha
/// then hold throughout; or the step is a real number, interpolated over ln(sigma) between neighbours.
/// </summary>
internal sealed class TableSchedule : INoiseSchedule
{
    private readonly double[] _sigma, _alpha, _time;
    private readonly bool _preservesVariance;

    /// <summary>A table of levels in any order.</summary>
    /// <param name="levels">What the network is told, alpha, and the noise's own scale: x_t = alpha x0 + noise scale · noise. Rows that are noise
    /// alone (alpha = 0, a "zero terminal SNR") have no sigma and are left out.</param>
    /// <param name="what">What error messages call it.</param>
    /// <exception cref="ModelFileException">Fewer than two levels, a level twice, or a number that cannot be.</exception>
    public TableSchedule(IEnumerable<(double Time, double Alpha, double Noise)> levels, string what)
    {
        var all = levels.ToList();
        if (all.FindIndex(static l => !(l.Alpha >= 0 && l.Noise >= 0 && double.IsFinite(l.Alpha + l.Noise + l.Time))) is >= 0 and var bad)
            throw new ModelFileException($"{what}: row {bad} has alpha = {all[bad].Alpha} and a noise of {all[bad].Noise}; expected finite numbers of 0 or more.");
        var rows = all.Where(static l => l.Alpha > 0 && l.Noise > 0).OrderBy(static l => l.Noise / l.Alpha).ToList();
        (_sigma, _alpha, _time) = ([.. rows.Select(static l => l.Noise / l.Alpha)], [.. rows.Select(static l => l.Alpha)], [.. rows.Select(static l => l.Time)]);
        if (rows.Count < 2)
            throw new ModelFileException($"{what}: {rows.Count} levels have both data and noise in them, expected at least 2.");
        var twice = Enumerable.Range(1, rows.Count - 1).FirstOrDefault(i => !(_sigma[i] > _sigma[i - 1]));
        if (twice > 0)
            throw new ModelFileException($"{what}: the times {_time[twice - 1]} and {_time[twice]} have one level, sigma = {_sigma[twice]}; every level has to be there once.");
        _preservesVariance = rows.TrueForAll(static l => Math.Abs((l.Alpha * l.Alpha) + (l.Noise * l.Noise) - 1) < 1e-6);
    }

    /// <summary>A table of the cumulative products of 1 - beta, by step from 0.</summary>
    public static TableSchedule OfAlphasCumprod(IEnumerable<double> products, string what) =>
        new(products.Select(static (p, step) => ((double)step, Math.Sqrt(p), Math.Sqrt(1 - p))), what);

    /// <summary>The levels, smallest first.</summary>
    public IReadOnlyList<double> Sigmas => _sigma;

    public (double Min, double Max) SigmaRange => (_sigma[0], _sigma[^1]);

    public Value Alpha(GraphBuilder b, Value sigma) =>
        _preservesVariance ? b.VariancePreserving(sigma) : b.Exp(Interpolate(b, sigma, Array.ConvertAll(_alpha, Math.Log)));

    public Value Time(GraphBuilder b, Value sigma) => Interpolate(b, sigma, _time);

    /// <summary>The nearest level of the table: its sigma, alpha and time, each [N].</summary>
    public NoiseLevel Nearest(GraphBuilder b, Value sigma)
    {
        var place = b.PlaceOfNearest(sigma, _sigma);
        Value Pick(double[] column) => b.Gather(b.Row(column), place, 0);
        return new NoiseLevel(Pick(_sigma), Pick(_alpha), Pick(_time));
    }

    private Value Interpolate(GraphBuilder b, Value sigma, double[] column)
    {
        var logs = Array.ConvertAll(_sigma, Math.Log);
        var slopes = Enumerable.Range(0, column.Length - 1).Select(i => (column[i + 1] - column[i]) / (logs[i + 1] - logs[i])).ToArray();
        var index = b.CountBelow(sigma, _sigma[1..^1]);
        Value Pick(double[] values) => b.Gather(b.Row(values[..^1]), index, 0);
        var beyond = b.Sub(b.Log(sigma), Pick(logs));
        var value = b.Add(Pick(column), b.Mul(b.Gather(b.Row(slopes), index, 0), beyond));
        // Outside the table the outermost level is told: the network has seen nothing beyond.
        return b.Clip(value, column.Min(), column.Max());
    }
}
