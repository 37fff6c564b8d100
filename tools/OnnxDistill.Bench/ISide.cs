namespace OnnxDistill.Bench;

/// <summary>One of the two things compared.</summary>
internal interface ISide : IDisposable
{
    /// <summary>What is timed: a training iteration, or a batch of samples.</summary>
    void Step();
}

/// <summary>A side that trains.</summary>
internal interface ITrainingSide : ISide
{
    /// <summary>Makes one iteration and gives the losses of the fake-score and the student step.</summary>
    (double FakeScore, double Student) Iterate();

    /// <summary>A network's weights (or their average) by parameter name, in OnnxDistill's layout.</summary>
    IReadOnlyDictionary<string, float[]> Weights(string role, bool average);
}

/// <summary>A side that draws samples.</summary>
internal interface ISamplingSide : ISide
{
    /// <summary>One batch of samples from OnnxDistill's latents of that seed.</summary>
    float[] Sample(long seed);
}
