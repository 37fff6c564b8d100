using OnnxDistill.Recipes;

namespace OnnxDistill.Training;

/// <summary>Learning rates and averages as pure functions of the number of samples seen: nothing to save, same on resume.</summary>
public static class Schedules
{
    /// <summary>The learning rate of the step that starts after that many samples of a run of that length.</summary>
    public static double LearningRate(OptimizerOptions options, long imagesSeen, long images)
    {
        var warmUp = options.WarmUpImages > 0 ? Math.Min(1, (double)imagesSeen / options.WarmUpImages) : 1;
        var progress = Math.Clamp((double)imagesSeen / images, 0, 1);
        var cosine = options.FinalFraction + ((1 - options.FinalFraction) * 0.5 * (1 + Math.Cos(Math.PI * progress)));
        return options.LearningRate * warmUp * cosine;
    }

    /// <summary>
    /// EDM's decay of the average (methods.md section 1): half-life min(halfLife, seen · rampUp), beta = 0.5^(batch / max(halfLife, 1e-8)).
    /// Nothing seen: beta is 0 and the average is a copy of the weights.
    /// </summary>
    public static double EmaBeta(EmaOptions options, long imagesSeen, int batch)
    {
        var halfLife = options.RampUp > 0 ? Math.Min(options.HalfLifeImages, imagesSeen * options.RampUp) : options.HalfLifeImages;
        return Math.Pow(0.5, batch / Math.Max(halfLife, 1e-8));
    }

    /// <summary>The scalars of <see cref="OptimizerGraph"/> for update number <paramref name="step"/> (from 1), formed in double.</summary>
    public static double OptimizerScalar(string name, OptimizerOptions options, double learningRate, long step, double emaBeta) => name switch
    {
        OptimizerGraph.StepSize => learningRate / (1 - Math.Pow(options.Beta1, step)),
        OptimizerGraph.SecondScale => 1 / Math.Sqrt(1 - Math.Pow(options.Beta2, step)),
        OptimizerGraph.Decay => learningRate * options.WeightDecay,
        OptimizerGraph.EmaShare => 1 - emaBeta,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "The optimizer graph has no such scalar."),
    };
}
