namespace OnnxDistill.Data;

/// <summary>A mixture of isotropic Gaussians, sum over k of w_k N(x; m_k, s_k^2 I): toy data whose density is known exactly.
/// All in double precision. Immutable.</summary>
public sealed partial class GaussianMixture
{
    private readonly double[] _weights;
    private readonly double[] _means;
    private readonly double[] _stds;
    private readonly double[] _logScales;

    /// <summary>A mixture of those modes.</summary>
    /// <param name="weights">One positive weight a mode; scaled here so that they sum to one.</param>
    /// <param name="means">One mean a mode, all of the same length.</param>
    /// <param name="stds">One positive standard deviation a mode, the same along every axis.</param>
    public GaussianMixture(IReadOnlyList<double> weights, IReadOnlyList<double[]> means, IReadOnlyList<double> stds)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(means);
        ArgumentNullException.ThrowIfNull(stds);
        if (weights.Count == 0 || means.Count != weights.Count || stds.Count != weights.Count)
        {
            throw new ArgumentException(
                "A mixture needs one weight, mean and standard deviation for each of its modes; " +
                $"found {weights.Count}, {means.Count} and {stds.Count}.");
        }

        Dimension = means[0].Length;
        RequirePositive(weights, nameof(weights));
        RequirePositive(stds, nameof(stds));
        if (Dimension == 0 || means.Any(mean => mean.Length != Dimension || !mean.All(double.IsFinite)))
        {
            throw new ArgumentException($"Every mean must have the same number ({Dimension}) of finite coordinates.", nameof(means));
        }

        // Weights that sum to one up to rounding stay as they are, so that a mixture reads back from its file bit for bit.
        var total = weights.Sum();
        _weights = [.. weights.Select(weight => Math.Abs(total - 1) < 1e-12 ? weight : weight / total)];
        _means = [.. means.SelectMany(static mean => mean)];
        _stds = [.. stds];
        _logScales = new double[_weights.Length];
        for (var k = 0; k < _logScales.Length; k++)
        {
            _logScales[k] = Math.Log(_weights[k]) - Dimension * (Math.Log(_stds[k]) + 0.5 * Math.Log(2 * Math.PI));
        }
    }

    /// <summary>How many modes there are.</summary>
    public int ModeCount => _weights.Length;

    /// <summary>How many coordinates a point has.</summary>
    public int Dimension { get; }

    /// <summary>The weight of each mode; they sum to one.</summary>
    public ReadOnlySpan<double> Weights => _weights;

    /// <summary>The standard deviation of each mode along every axis.</summary>
    public ReadOnlySpan<double> Stds => _stds;

    /// <summary>The mean of one mode.</summary>
    public ReadOnlySpan<double> Mean(int mode) => _means.AsSpan(mode * Dimension, Dimension);

    /// <summary>ln p(x), by log-sum-exp, so that it stays finite far from every mode.</summary>
    public double LogDensity(ReadOnlySpan<double> point)
    {
        var terms = ModeCount <= 256 ? stackalloc double[ModeCount] : new double[ModeCount];
        return LogTerms(point, terms);
    }

    /// <summary>The posterior probability of each mode given the point; they sum to one.</summary>
    public void Responsibilities(ReadOnlySpan<double> point, Span<double> responsibilities)
    {
        if (responsibilities.Length != ModeCount)
        {
            throw new ArgumentException($"{ModeCount} modes, but room for {responsibilities.Length}.", nameof(responsibilities));
        }

        var logDensity = LogTerms(point, responsibilities);
        for (var k = 0; k < responsibilities.Length; k++)
        {
            responsibilities[k] = Math.Exp(responsibilities[k] - logDensity);
        }
    }

    /// <summary>The mode of largest responsibility (the first of equals), -1 for a point that is not finite.</summary>
    public int MostResponsibleMode(ReadOnlySpan<double> point)
    {
        var best = -1;
        var bestTerm = double.NegativeInfinity;
        for (var k = 0; k < ModeCount; k++)
        {
            var term = _logScales[k] - 0.5 * SquaredStds(point, k);
            if (term > bestTerm)
            {
                (best, bestTerm) = (k, term);
            }
        }

        return best;
    }

    /// <summary>How far the point lies from the mode's mean, in standard deviations of that mode.</summary>
    public double DistanceInStds(ReadOnlySpan<double> point, int mode) => Math.Sqrt(SquaredStds(point, mode));

    /// <summary>Draws as many points as there are uniforms; the randomness is the caller's, so a counter-based stream can drive
    /// it.</summary>
    /// <param name="uniforms">One number in [0, 1) a point: which mode.</param>
    /// <param name="normals"><see cref="Dimension"/> standard normal numbers a point: where about the mode's mean.</param>
    public SampleSet Sample(ReadOnlySpan<double> uniforms, ReadOnlySpan<double> normals)
    {
        if (normals.Length != (long)uniforms.Length * Dimension)
        {
            throw new ArgumentException(
                $"{uniforms.Length} points need {Dimension} normals each, found {normals.Length} in all.", nameof(normals));
        }

        var data = new float[normals.Length];
        for (var i = 0; i < uniforms.Length; i++)
        {
            var mode = PickMode(uniforms[i]);
            var mean = Mean(mode);
            for (var d = 0; d < Dimension; d++)
            {
                data[i * Dimension + d] = (float)(mean[d] + _stds[mode] * normals[i * Dimension + d]);
            }
        }

        return new SampleSet([Dimension], data);
    }

    private static void RequirePositive(IReadOnlyList<double> numbers, string name)
    {
        for (var k = 0; k < numbers.Count; k++)
        {
            if (!(numbers[k] > 0) || !double.IsFinite(numbers[k]))
            {
                throw new ArgumentException($"Mode {k}: {numbers[k]} is not a positive finite number.", name);
            }
        }
    }

    private int PickMode(double uniform)
    {
        var cumulative = 0.0;
        for (var k = 0; k < ModeCount - 1; k++)
        {
            cumulative += _weights[k];
            if (uniform < cumulative)
            {
                return k;
            }
        }

        // The last mode takes what rounding of the running sum leaves over.
        return ModeCount - 1;
    }

    private double LogTerms(ReadOnlySpan<double> point, Span<double> terms)
    {
        var largest = double.NegativeInfinity;
        for (var k = 0; k < terms.Length; k++)
        {
            terms[k] = _logScales[k] - 0.5 * SquaredStds(point, k);
            largest = Math.Max(largest, terms[k]);
        }

        if (double.IsNegativeInfinity(largest))
        {
            return largest;
        }

        var sum = 0.0;
        foreach (var term in terms)
        {
            sum += Math.Exp(term - largest);
        }

        return largest + Math.Log(sum);
    }

    private double SquaredStds(ReadOnlySpan<double> point, int mode)
    {
        if (point.Length != Dimension)
        {
            throw new ArgumentException($"The mixture has {Dimension} coordinates a point, found {point.Length}.", nameof(point));
        }

        var mean = Mean(mode);
        var sum = 0.0;
        for (var d = 0; d < mean.Length; d++)
        {
            var difference = (point[d] - mean[d]) / _stds[mode];
            sum += difference * difference;
        }

        return sum;
    }
}
