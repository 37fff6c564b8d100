namespace OnnxDistill.Sampling.Solvers;

/// <summary>One step along a path: a formula over the state and the denoiser.</summary>
internal interface ISolver
{
    /// <summary>Name on the command line.</summary>
    string Name { get; }

    /// <summary>What it is, for help texts.</summary>
    string Summary { get; }

    /// <summary>Name of the grid that it is usually seen with.</summary>
    string UsualLevels { get; }

    /// <summary>Whether it adds fresh noise by <see cref="SamplerOptions.Eta"/>.</summary>
    bool TakesEta => false;

    /// <summary>The state at time <paramref name="to"/>, which is below <paramref name="from"/> and may be 0.</summary>
    double[] Step(SampledBatch batch, double[] z, double from, double to);
}
