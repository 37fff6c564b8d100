using OnnxDistill.Evaluation;
using OnnxDistill.Graph.Model;
using OnnxDistill.Sampling;

namespace OnnxDistill.Export;

/// <summary>What a reduced precision costs: samples of the same latents, by the fp32 generator and by the reduced one.</summary>
/// <param name="Samples">How many.</param>
/// <param name="Largest">Largest absolute difference of a number, in units of samples.</param>
/// <param name="Mean">Mean absolute difference.</param>
public sealed record PrecisionLoss(int Samples, double Largest, double Mean)
{
    // Of images in [-1, 1].
    private const double Peak = 2;

    /// <summary>Peak signal-to-noise ratio of images in decibel; null for points.</summary>
    public double? Psnr { get; private init; }

    /// <summary>Metrics of the fp32 generator's samples, by name; none without an evaluation.</summary>
    public IReadOnlyDictionary<string, double> Full { get; private init; } = new Dictionary<string, double>();

    /// <summary>The same metrics of the reduced generator's samples.</summary>
    public IReadOnlyDictionary<string, double> Reduced { get; private init; } = new Dictionary<string, double>();

    /// <summary>Draws from both and compares.</summary>
    /// <param name="full">The fp32 generator.</param>
    /// <param name="reduced">The other one.</param>
    /// <param name="samples">How many samples where no metric says so.</param>
    /// <param name="evaluator">What measures both; null for nothing.</param>
    public static PrecisionLoss Measure(OnnxModel full, OnnxModel reduced, int samples, Evaluator? evaluator)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        var count = evaluator is { SampleCount: > 0 } ? evaluator.SampleCount : samples;
        using var first = new GeneratorSampler(full, what: "the fp32 generator");
        using var second = new GeneratorSampler(reduced, what: "the reduced generator");
        var (a, b) = (first.Sample(count, 0), second.Sample(count, 0));
        var (largest, sum, squares) = (0.0, 0.0, 0.0);
        for (var i = 0; i < a.Data.Length; i++)
        {
            var difference = Math.Abs((double)a.Data[i] - b.Data[i]);
            (largest, sum, squares) = (Math.Max(largest, difference), sum + difference, squares + (difference * difference));
        }
        return new PrecisionLoss(count, largest, sum / a.Data.Length)
        {
            // Equal samples have no noise; so large a ratio means the same and stays a number.
            Psnr = a.Dims.Length == 3 ? 10 * Math.Log10(Peak * Peak / Math.Max(squares / a.Data.Length, 1e-20)) : null,
            Full = evaluator?.Measure(a) ?? new Dictionary<string, double>(),
            Reduced = evaluator?.Measure(b) ?? new Dictionary<string, double>(),
        };
    }
}
