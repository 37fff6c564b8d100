using OnnxDistill.Teachers;

namespace OnnxDistill.Sampling.Levels;

/// <summary>From the teacher's largest level to its smallest, evenly in sigma^(1/7), then 0 (Karras et al. 2022, arXiv 2206.00364, equation 5).</summary>
internal sealed class KarrasLevels : ILevelGrid
{
    private const double Rho = 7;

    public string Name => "karras";

    public string Summary => "even in sigma^(1/7), EDM's";

    public SamplingPath Path(TeacherCard card, int steps)
    {
        var (low, high) = (Math.Pow(card.SigmaMin, 1 / Rho), Math.Pow(card.SigmaMax, 1 / Rho));
        return new SamplingPath([.. Enumerable.Range(0, steps).Select(i => Math.Pow(high + (i / Math.Max(1.0, steps - 1) * (low - high)), Rho)), 0]);
    }
}
