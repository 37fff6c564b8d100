namespace OnnxDistill.Sampling.Solvers;

/// <summary>Euler's step, then the same with the mean of the slopes at both ends: second order, two evaluations a step (Karras et al. 2022,
/// arXiv 2206.00364, algorithm 1, lines 4 to 8).</summary>
internal sealed class HeunSolver : ISolver
{
    public string Name => "heun";

    public string Summary => "second order, two evaluations a step";

    public string UsualLevels => "karras";

    public double[] Step(SampledBatch batch, double[] z, double from, double to)
    {
        var slope = batch.Slope(z, from);
        var next = EulerSolver.Move(z, slope, to - from);
        // At time 0 the slope is not defined: Euler alone.
        if (to == 0)
            return next;
        var end = batch.Slope(next, to);
        for (var i = 0; i < slope.Length; i++)
            slope[i] = (slope[i] + end[i]) / 2;
        return EulerSolver.Move(z, slope, to - from);
    }
}
