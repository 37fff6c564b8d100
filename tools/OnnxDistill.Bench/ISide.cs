namespace OnnxDistill.Bench;

/// <summary>One of the two things compared.</summary>
internal interface ISide : IDisposable
{
    /// <summary>Makes one iteration and gives the losses of the fake-score and the student step.</summary>
    (double FakeScore, double Student) Step();

    /// <summary>A network's weights (or EMA weights) by parameter name, in OnnxDistill's layout.</summary>
    IReadOnlyDictionary<string, float[]> Weights(string role, bool ema);
}
