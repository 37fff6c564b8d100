using OnnxDistill.Teachers;

namespace OnnxDistill.Sampling.Levels;

/// <summary>How levels that a paper gives for images apply to a teacher.</summary>
internal static class PublishedLevels
{
    /// <summary>Their unit in the data's: a network behind its own schedule has seen just these, a denoiser of the EDM frame those of
    /// its sigma_data (design.md decision 9).</summary>
    public static double Unit(TeacherCard card) => card.Prediction is "denoiser" or "edm" or "edm-score" ? card.SigmaData / 0.5 : 1;

    /// <summary>Whether the network behind the teacher knows pure noise, at flow time 1.</summary>
    public static bool IsFlow(TeacherCard card) => card.Schedule is "flow" or "reversed-flow";
}
