using OnnxDistill.Teachers;
using OnnxDistill.Teachers.Importing;

namespace OnnxDistill.Sampling.Levels;

/// <summary>How levels that a paper gives for images apply to a teacher.</summary>
internal static class PublishedLevels
{
    /// <summary>Their unit in the data's: a network behind a schedule of its own has seen just these, in its own range; a denoiser of the EDM frame
    /// those of its sigma_data (design.md decision 9).</summary>
    public static double Unit(TeacherCard card) => !IsFlow(card) && card.Schedule.StartsWith("edm", StringComparison.Ordinal)
        ? card.SigmaData / 0.5 : 1 / DataRange.Parse(new ImportOptions { Range = card.Range }).Half;

    /// <summary>Whether the network behind the teacher knows pure noise, at flow time 1.</summary>
    public static bool IsFlow(TeacherCard card) => card.Schedule is "flow" or "reversed-flow" || card.Prediction is "flow" or "reversed-flow";
}
