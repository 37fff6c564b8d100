namespace OnnxDistill.Verification;

/// <summary>A derivative measured from values of a function, with how far the measurement itself can be trusted.</summary>
/// <param name="Value">The derivative.</param>
/// <param name="Uncertainty">By how much three estimates of it at neighbouring steps differ (truncation, kinks and rounding together), and what
/// rounding may hide from all three.</param>
internal readonly record struct MeasuredDerivative(double Value, double Uncertainty);

/// <summary>The derivative of a function of one number at 0, by central differences of fourth order.</summary>
/// <remarks>Differences at step h err by h²; two of them at h and h/2 are combined so that this term cancels (Richardson). The step is halved until
/// three neighbouring estimates agree well, else as far as rounding lets it be of use, and the three that agree best are taken: so neither kinks
/// inside the wide steps (a network of ReLUs has thousands) nor rounding at the narrow ones spoil the result. Three, because two that are mere
/// rounding agree by chance too often.</remarks>
internal static class CentralDifference
{
    /// <summary>First step for functions computed in float32: truncation and rounding are both near 1e-5 there.</summary>
    public const double SingleStep = 1.0 / 8;

    /// <summary>First step for functions computed in float64: truncation and rounding are both near 1e-12 there.</summary>
    public const double DoubleStep = 1.0 / 128;

    private const int LeastSteps = 4, MostSteps = 10, JitterSamples = 3, JitterBits = 18;

    /// <summary>Measures the derivative, with eight evaluations where the function is smooth and none further from 0 than
    /// <paramref name="firstStep"/>.</summary>
    /// <param name="function">The function.</param>
    /// <param name="firstStep">Widest step.</param>
    /// <param name="goodEnough">Uncertainty at which no narrower step is tried.</param>
    /// <param name="rounding">Changes of the function below this are lost: where it moves less, all differences are 0 and seem to agree.</param>
    public static MeasuredDerivative At0(Func<double, double> function, double firstStep, double goodEnough, double rounding = 0)
    {
        var best = new MeasuredDerivative(double.NaN, double.PositiveInfinity);
        var bestStep = firstStep;
        var estimates = new List<double>();
        var wider = double.NaN;
        for (var i = 0; i < MostSteps && (i < LeastSteps || !(best.Uncertainty <= goodEnough)); i++)
        {
            var h = firstStep / (1 << i);
            var narrower = (function(h) - function(-h)) / (2 * h);
            if (i > 0)
                estimates.Add(((4 * narrower) - wider) / 3);
            wider = narrower;
            if (estimates.Count < 3)
                continue;
            var last = estimates[^3..].Order().ToArray();
            if (last[2] - last[0] < best.Uncertainty)
                (best, bestStep) = (new MeasuredDerivative(last[1], last[2] - last[0]), h);
        }
        return best with { Uncertainty = best.Uncertainty + (Math.Max(rounding, Jitter(function, firstStep, best.Value)) / bestStep) };
    }

    // Steps of a few units in the last place move a smooth function by next to nothing: what it moves beyond its slope is rounding, with everything
    // that a deep network makes of it. Estimates at narrow steps can agree by chance; this tells how much of them is chance.
    private static double Jitter(Func<double, double> function, double firstStep, double slope)
    {
        var largest = 0.0;
        for (var i = 1; i <= JitterSamples; i++)
        {
            var h = Math.ScaleB(firstStep, -JitterBits) * i;
            largest = Math.Max(largest, Math.Abs(function(h) - function(-h) - (2 * h * slope)) / 2);
        }
        return double.IsNaN(slope) ? 0 : largest;
    }
}
