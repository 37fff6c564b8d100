using System.Globalization;
using OnnxDistill.Training;
using Spectre.Console;

namespace OnnxDistill.Cli;

/// <summary>Shows a run on a terminal: a bar that moves with every step, with speed, time left and memory; under it each loss as a curve and its newest number; tables of
/// metrics above.</summary>
internal sealed class RunTerminal : IRunObserver
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    private const int CurveWidth = 48;

    private readonly RunLines _lines;
    private readonly LiveDisplayContext _live;
    private readonly IAnsiConsole _terminal;
    private readonly List<RunProgress> _rows = [];
    private (long Time, long ImagesSeen)? _start;
    private long _shownAt;

    private RunTerminal(Report report, LiveDisplayContext live, IAnsiConsole terminal) => (_lines, _live, _terminal) = (new RunLines(report), live, terminal);

    private RunProgress? Newest => _rows.Count > 0 ? _rows[^1] : null;

    /// <summary>Runs a job under the display that fits where its text goes.</summary>
    public static T Watch<T>(Report report, Func<IRunObserver, T> job) => report.Terminal is not { } terminal
        ? job(new RunLines(report))
        : terminal.Live(new Text("preparing ...")).Start(live => job(new RunTerminal(report, live, terminal)));

    public void Stepped(long imagesSeen, long images)
    {
        var now = TimeProvider.System.GetTimestamp();
        _start ??= (now, imagesSeen);
        if (imagesSeen < images && TimeProvider.System.GetElapsedTime(_shownAt, now) < Pace)
            return;
        _shownAt = now;
        // Before the first row of the log the speed is that since the start.
        var speed = Newest?.ImagesPerSecond ?? (imagesSeen - _start.Value.ImagesSeen) / Math.Max(TimeProvider.System.GetElapsedTime(_start.Value.Time, now).TotalSeconds, 1e-3);
        var left = speed > 0 ? TimeSpan.FromSeconds(Math.Min((images - imagesSeen) / speed, TimeSpan.MaxValue.TotalSeconds / 2)) : TimeSpan.Zero;
        _live.UpdateTarget(Draw(new RunProgress(imagesSeen, images, Newest?.Numbers ?? new Dictionary<string, double>(), speed, left)));
    }

    public void Preparing(string what, long done, long count)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $" {(double)done / count,4:P0}  {done:N0} / {count:N0}  {what}");
        _live.UpdateTarget(Bar(done, count, text));
    }

    public void Progress(RunProgress progress)
    {
        // A run that went back to an earlier state says the rows since once more.
        _rows.RemoveAll(row => row.ImagesSeen >= progress.ImagesSeen);
        _rows.Add(progress);
        _live.UpdateTarget(Draw(progress));
    }

    public void Measured(long imagesSeen, IReadOnlyDictionary<string, double> metrics) => Above(() => _lines.Measured(imagesSeen, metrics));

    public void Note(string text) => Above(() => _lines.Note(text));

    // What is written above a live display goes over its old lines without wiping them, so they are emptied first.
    private void Above(Action write)
    {
        _live.UpdateTarget(Text.Empty);
        write();
        if (Newest is { } row)
            _live.UpdateTarget(Draw(row));
    }

    private Rows Draw(RunProgress progress)
    {
        var text = string.Create(CultureInfo.InvariantCulture,
            $" {(double)progress.ImagesSeen / progress.Images,4:P0}  {progress.ImagesSeen:N0} / {progress.Images:N0}  {RunLines.Speed(progress)}  {Environment.WorkingSet >> 20:N0} MB");
        return new Rows([Bar(progress.ImagesSeen, progress.Images, text), .. Curves(progress)]);
    }

    // A line a loss; what was not finite is told in words.
    private IEnumerable<Text> Curves(RunProgress progress)
    {
        var names = progress.Numbers.Keys.Where(RunLines.IsLoss).ToArray();
        var longest = names.Select(static n => n.Length).Append(0).Max();
        foreach (var name in names)
        {
            var curve = Sparkline.Draw([.. _rows.Select(row => row.Numbers.GetValueOrDefault(name, double.NaN))], Math.Min(CurveWidth, _terminal.Profile.Width - longest - 16), _terminal.Profile.Capabilities.Unicode);
            yield return new Text(string.Create(CultureInfo.InvariantCulture, $"{name.PadRight(longest)}  {curve}  {progress.Numbers[name]:G4}")).Overflow(Overflow.Crop);
        }
        if (RunLines.Trouble(progress) is { Length: > 0 } trouble)
            yield return new Text(trouble, new Style(Color.Yellow)).Overflow(Overflow.Crop);
    }

    private Paragraph Bar(long done, long count, string text)
    {
        var length = Math.Clamp(_terminal.Profile.Width - text.Length - 1, 8, 40);
        var filled = (int)(length * done / count);
        return new Paragraph().Append(new string('━', filled), new Style(Color.Green)).Append(new string('━', length - filled), new Style(Color.Grey)).Append(text).Overflow(Overflow.Crop);
    }
}
