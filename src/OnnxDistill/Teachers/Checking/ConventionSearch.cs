using System.Diagnostics;
using System.Globalization;
using OnnxDistill.Graph;
using OnnxDistill.Teachers.Conventions;
using OnnxDistill.Teachers.Importing;

namespace OnnxDistill.Teachers.Checking;

/// <summary>Checks a convention, and when it is wrong looks for one nearby that is right.</summary>
internal static class ConventionSearch
{
    // Large networks on a small machine: what was found by then has to do.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly string[] Ranges = ["-1..1", "0..1", "0..255"];
    private static readonly double[] TimeScales = [1, 999, 1000];

    /// <summary>The check of a network under these options.</summary>
    /// <param name="raw">The network.</param>
    /// <param name="options">What it is said to be.</param>
    /// <param name="stop">Ends the search; what was found by then is told.</param>
    /// <exception cref="TeacherMismatchException">It does not denoise; conventions that would are named.</exception>
    public static TeacherCheck Require(RawNetwork raw, ImportOptions options, CancellationToken stop)
    {
        // A guided denoiser is no posterior mean; the one without guidance is, under the same convention.
        options = options with { Guidance = 1 };
        var teacher = new TeacherWrapper(raw, options).Wrap();
        var check = TeacherCheck.Run(teacher);
        if (check.Passed)
            return check;
        var (found, tried) = Search(raw, options, teacher.Card, stop);
        throw new TeacherMismatchException($"'{raw.File}' does not denoise as '{options.Prediction}' (schedule {teacher.Card.Schedule}, time {teacher.Card.Time}, range {options.Range}): {check.Faults[0]}. "
            + (found.Count > 0 ? $"Taken as {string.Join(", or ", found.Take(3))} it does. " : $"Neither does it in any of {tried} other ways that were tried. ") + "Nothing was written.");
    }

    // From the likeliest mistake to the least; what is found ends the search, for a right convention passes in other ways of saying the same as well.
    private static (List<string> Found, int Tried) Search(RawNetwork raw, ImportOptions options, TeacherCard card, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var seen = new HashSet<string> { Key(card) };
        foreach (var group in Neighbours(options, card))
        {
            var found = new List<(string Words, double Violation)>();
            foreach (var candidate in group.TakeWhile(_ => clock.Elapsed < Patience && !stop.IsCancellationRequested))
            {
                if (Try(raw, candidate, seen) is { Check.Passed: true } passed)
                    found.Add((Difference(options, candidate, passed.Convention), passed.Check.Violation));
            }
            if (found.Count > 0)
                return ([.. found.OrderBy(static f => f.Violation).Select(static f => f.Words)], seen.Count - 1);
        }
        return ([], seen.Count - 1);
    }

    private static IEnumerable<IEnumerable<ImportOptions>> Neighbours(ImportOptions told, TeacherCard card)
    {
        // A denoiser of the network's own state is called x0.
        yield return Predictions.All.Where(p => told.Schedule.Length == 0 || p.Name != "denoiser").Select(p => told with { Prediction = p.Name });
        if (card.Data == "image")
            yield return Ranges.Select(range => told with { Range = range });
        // A schedule that goes without saying brings its own time.
        yield return Predictions.All.Where(static p => p.Schedule.Length > 0).Select(p => told with { Prediction = p.Name, Schedule = "", Time = "", TimeScale = null });
        yield return NoiseSchedules.All.Select(s => told with { Schedule = s.Name, Time = "", TimeScale = null });
        yield return TimeForms.All.SelectMany(form => TimeScales.Select(scale => told with { Time = form.Name, TimeScale = scale }));
        yield return Predictions.All.Where(static p => p.Schedule.Length == 0)
            .SelectMany(p => NoiseSchedules.All.Select(s => told with { Prediction = p.Name, Schedule = s.Name, Time = "", TimeScale = null }));
    }

    private static (TeacherConvention Convention, TeacherCheck Check)? Try(RawNetwork raw, ImportOptions options, HashSet<string> seen)
    {
        try
        {
            var wrapper = new TeacherWrapper(raw, options);
            var teacher = wrapper.Wrap();
            if (!seen.Add(Key(teacher.Card)))
                return null;
            using (var quick = new TeacherProbe(teacher, quick: true))
            {
                if (!quick.Check().Passed)
                    return null;
            }
            return (wrapper.Convention, TeacherCheck.Run(teacher));
        }
        catch (Exception error) when (error is TeacherMismatchException or ModelFileException)
        {
            return null; // not a way in which this network can be taken
        }
    }

    private static string Key(TeacherCard card) => $"{(card.Prediction == "denoiser" ? "x0" : card.Prediction)} {card.Schedule} {card.Time} {card.Range}";

    private static string Difference(ImportOptions told, ImportOptions found, TeacherConvention convention)
    {
        var words = new List<string>();
        if (found.Prediction != told.Prediction)
            words.Add($"--prediction {found.Prediction}");
        if (found.Schedule != told.Schedule && found.Schedule.Length > 0)
            words.Add($"--schedule {found.Schedule}");
        if (found.Time != told.Time && (found.Time.Length > 0 || convention.Time.Name != told.Time))
            words.Add($"--time {convention.Time.Name}");
        if (found.TimeScale != told.TimeScale)
            words.Add(string.Create(CultureInfo.InvariantCulture, $"--time-scale {convention.TimeScale}"));
        if (found.Range != told.Range)
            words.Add($"--range={found.Range}");
        return $"'{string.Join(' ', words)}'";
    }
}
