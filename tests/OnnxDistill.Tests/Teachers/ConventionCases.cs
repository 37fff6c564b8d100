namespace OnnxDistill.Tests.Teachers;

/// <summary>Predictions with the frames that they are tested in: one row a prediction.</summary>
internal static class ConventionCases
{
    public static readonly (string Prediction, RawFrame[] Frames)[] All =
    [
        ("denoiser", RawFrames.All),
        ("edm", [RawFrames.EdmLog, RawFrames.Edm]),
        ("edm-score", RawFrames.All),
        ("eps", RawFrames.All),
        ("flow", RawFrames.All),
        ("reversed-flow", RawFrames.All),
        ("scaled-score", RawFrames.All),
        ("score", RawFrames.All),
        ("v", RawFrames.All),
        ("x0", RawFrames.All),
    ];

    /// <summary>The predictions that go with any schedule.</summary>
    public static IEnumerable<string> Free => All.Where(static c => c.Frames == RawFrames.All).Select(static c => c.Prediction);
}
