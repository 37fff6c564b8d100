using OnnxDistill.Teachers;

namespace OnnxDistill.Sampling.Levels;

/// <summary>
/// Evenly in rectified flow's time (Liu et al. 2022, arXiv 2209.03003), t = 1 - i/steps: what flow models are usually sampled with. A flow teacher
/// starts from pure noise at t = 1, another from its largest level, which is the same but for a thousandth.
/// </summary>
internal sealed class FlowLevels : ILevelGrid
{
    public string Name => "flow";

    public string Summary => "even in rectified flow's time sigma/(1 + sigma)";

    public SamplingPath Path(TeacherCard card, int steps)
    {
        var scale = PublishedLevels.Unit(card);
        var first = PublishedLevels.IsFlow(card) ? 1 : card.SigmaMax / (scale + card.SigmaMax);
        return new SamplingPath([.. Enumerable.Range(0, steps).Select(i => first * (steps - i) / steps), 0]) { IsFlow = true, Scale = scale };
    }
}
