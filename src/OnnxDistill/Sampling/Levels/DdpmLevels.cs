using OnnxDistill.Teachers;

namespace OnnxDistill.Sampling.Levels;

/// <summary>
/// Evenly in the 1000 steps of DDPM's linear schedule (Ho et al. 2020, arXiv 2006.11239: beta from 1e-4 to 0.02), counted from the noisy end so that
/// the noisiest step always takes part (Lin et al. 2023, arXiv 2305.08891, section 3.3, "trailing"); ln sigma is interpolated where a count does not divide 1000.
/// </summary>
internal sealed class DdpmLevels : ILevelGrid
{
    private const int Count = 1000;

    private static readonly double[] LogSigma = Table();

    public string Name => "ddpm";

    public string Summary => "even in the 1000 steps of DDPM's linear schedule";

    public SamplingPath Path(TeacherCard card, int steps)
    {
        if (steps > Count)
            throw new ArgumentException(FormattableString.Invariant($"steps: found {steps} with the levels 'ddpm', expected at most {Count}; 'karras' and 'flow' have no limit."));
        var unit = PublishedLevels.Unit(card);
        var used = 1 + Index(Math.Log(card.SigmaMax / unit));
        double Level(int i) => Math.Exp(At(Math.Max(0, (used * (steps - i) / steps) - 1)));
        return new SamplingPath([.. Enumerable.Range(0, steps).Select(Level), 0]) { Scale = unit };
    }

    // sigma² = (1 - product of (1 - beta)) / that product.
    private static double[] Table()
    {
        var (table, kept) = (new double[Count], 1.0);
        for (var i = 0; i < Count; i++)
        {
            kept *= 1 - (1e-4 + ((0.02 - 1e-4) * i / (Count - 1)));
            table[i] = Math.Log((1 - kept) / kept) / 2;
        }
        return table;
    }

    private static double At(double index)
    {
        var below = Math.Min((int)index, Count - 2);
        return LogSigma[below] + ((index - below) * (LogSigma[below + 1] - LogSigma[below]));
    }

    // Where the table, which grows, reaches that; its end for more.
    private static double Index(double logSigma)
    {
        var above = Array.FindIndex(LogSigma, s => s > logSigma);
        return above < 0 ? Count - 1 : above == 0 ? 0 : above - 1 + ((logSigma - LogSigma[above - 1]) / (LogSigma[above] - LogSigma[above - 1]));
    }
}
