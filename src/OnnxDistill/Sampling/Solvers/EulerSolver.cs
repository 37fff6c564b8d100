namespace OnnxDistill.Sampling.Solvers;

/// <summary>z' = z + (t' - t) dz/dt: first order, one evaluation a step.</summary>
internal sealed class EulerSolver : ISolver
{
    public string Name => "euler";

    public string Summary => "first order, one evaluation a step";

    public string UsualLevels => "karras";

    public double[] Step(SampledBatch batch, double[] z, double from, double to) => Move(z, batch.Slope(z, from), to - from);

    /// <summary>z + step · slope.</summary>
    public static double[] Move(double[] z, double[] slope, double step)
    {
        var moved = new double[z.Length];
        for (var i = 0; i < z.Length; i++)
            moved[i] = z[i] + (step * slope[i]);
        return moved;
    }
}
