using System.Globalization;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>Prediction, schedule and time form of a network, decided.</summary>
/// <param name="Prediction">What it predicts.</param>
/// <param name="Schedule">Its noise.</param>
/// <param name="ScheduleText">The schedule as told, without a folder.</param>
/// <param name="Time">How it is told the time.</param>
/// <param name="TimeScale">What that is multiplied with.</param>
/// <param name="SigmaData">Standard deviation of the data in the network's own units.</param>
internal sealed record TeacherConvention(Prediction Prediction, INoiseSchedule Schedule, string ScheduleText, TimeForm Time, double TimeScale, double SigmaData)
{
    /// <summary>The convention that options ask for.</summary>
    /// <param name="options">The options.</param>
    /// <param name="wholeTime">Whether the network takes whole numbers as its time.</param>
    /// <param name="halfRange">The network's units in one of the teacher's.</param>
    /// <exception cref="TeacherMismatchException">Parts are missing or do not go together.</exception>
    public static TeacherConvention Resolve(ImportOptions options, bool wholeTime, double halfRange)
    {
        var prediction = Predictions.Find(options.Prediction);
        var text = options.Schedule.Length > 0 ? options.Schedule : prediction.Schedule.Length > 0 ? prediction.Schedule : throw new TeacherMismatchException(
            $"--prediction {prediction.Name} needs --schedule, the noise that the network was trained with: {string.Join("; ", NoiseSchedules.All.Select(s => $"{s.Name} = {s.Summary}"))}; "
            + $"{NoiseSchedules.TableSummary}.");
        var sigmaData = options.SigmaData * halfRange;
        var (kind, schedule) = NoiseSchedules.Parse(text, sigmaData);
        if (prediction.Scale is not null && schedule is not UnscaledSchedule)
            throw new TeacherMismatchException($"--prediction {prediction.Name} brings its own scaling and goes with --schedule edm or ve, found {text}.");
        var form = TimeForms.Find(options.Time.Length > 0 ? options.Time
            : schedule is TableSchedule ? wholeTime ? TimeForms.Step : TimeForms.FractionalStep
            : kind.Name == prediction.Schedule && prediction.Time.Length > 0 ? prediction.Time : kind.Time);
        if (form.Name is TimeForms.Step or TimeForms.FractionalStep && schedule is not TableSchedule)
            throw new TeacherMismatchException($"--time {form.Name} needs a schedule of steps ({string.Join(", ", NoiseSchedules.All.Where(s => s.Time.Length == 0).Select(s => s.Name))} or table:FILE), found {text}.");
        if (wholeTime && !form.IsWhole)
        {
            throw new TeacherMismatchException($"The network takes whole numbers as its time, but --time {form.Name} under --schedule {text} tells real ones. Use --time step with a schedule of "
                + "steps; a schedule of your own is told as table:FILE.");
        }
        return new TeacherConvention(prediction, schedule, kind.Name == "table" ? $"table:{Path.GetFileName(text[6..])}" : text, form,
            options.TimeScale ?? (form.Name == "t" ? kind.TimeScale : 1), sigmaData);
    }

    /// <summary>The levels [N] as the network knows them.</summary>
    public NoiseLevel LevelAt(GraphBuilder b, Value sigma)
    {
        var level = Time.IsWhole ? ((TableSchedule)Schedule).Nearest(b, sigma) : new NoiseLevel(sigma, Schedule.Alpha(b, sigma), Time.Emit(b, Schedule, sigma));
        return TimeScale == 1 ? level : level with { Time = b.Mul(level.Time, TimeScale) };
    }

    /// <summary>The network's state over x, [N]; null where it is x itself.</summary>
    public Value? StateScale(GraphBuilder b, NoiseLevel level) =>
        Prediction.Scale is { } scale ? scale(b, level.Sigma, SigmaData) : Schedule is UnscaledSchedule ? null : level.Alpha;

    /// <summary>The time as people write it, <c>t*999</c>.</summary>
    public string TimeText => TimeScale == 1 ? Time.Name : string.Create(CultureInfo.InvariantCulture, $"{Time.Name}*{TimeScale}");
}
