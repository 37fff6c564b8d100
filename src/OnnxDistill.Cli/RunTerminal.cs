using System.Globalization;
using OnnxDistill.Training;
using Spectre.Console;

namespace OnnxDistill.Cli;

/// <summary>Shows a run on a terminal: a bar that moves with every step, the newest losses under it, tables of metrics above.</summary>
internal sealed class RunTerminal : IRunObserver
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    private readonly RunLines _lines;
    private readonly LiveDisplayContext _live;
    private readonly int _width;
    private RunProgress? _row;
    private (long Time, long ImagesSeen)? _start;
    private long _shownAt;

    private RunTerminal(Report report, LiveDisplayContext live, int width) => (_lines, _live, _width) = (new RunLines(report), live, width);

    /// <summary>Runs a job under the display that fits where its text goes.</summary>
    public static T Watch<T>(Report report, Func<IRunObserver, T> job) => report.Terminal is not { } terminal
        ? job(new RunLines(report))
        : terminal.Live(new Text("preparing ...")).Start(live => job(new RunTerminal(report, live, terminal.Profile.Width)));

    public void Stepped(long imagesSeen, long images)
    {
        var now = TimeProvider.System.GetTimestamp();
        _start ??= (now, imagesSeen);
        if (imagesSeen < images && TimeProvider.System.GetElapsedTime(_shownAt, now) < Pace)
            return;
        _shownAt = now;
        // Before the first row of the log the speed is that since the start.
        var speed = _row?.ImagesPerSecond ?? (imagesSeen - _start.Value.ImagesSeen) / Math.Max(TimeProvider.System.GetElapsedTime(_start.Value.Time, now).TotalSeconds, 1e-3);
        var left = speed > 0 ? TimeSpan.FromSeconds(Math.Min((images - imagesSeen) / speed, TimeSpan.MaxValue.TotalSeconds / 2)) : TimeSpan.Zero;
        _live.UpdateTarget(Draw(new RunProgress(imagesSeen, images, _row?.Numbers ?? new Dictionary<string, double>(), speed, left)));
    }

    public void Preparing(string what, long done, long count)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $" {(double)done / count,4:P0}  {done:N0} / {count:N0}  {what}");
        _live.UpdateTarget(Bar(done, count, text));
    }

    public void Progress(RunProgress progress)
    {
        _row = progress;
        _live.UpdateTarget(Draw(progress));
    }

    public void Measured(long imagesSeen, IReadOnlyDictionary<string, double> metrics) => _lines.Measured(imagesSeen, metrics);

    public void Note(string text) => _lines.Note(text);

    private Rows Draw(RunProgress progress)
    {
        var text = string.Create(CultureInfo.InvariantCulture,
            $" {(double)progress.ImagesSeen / progress.Images,4:P0}  {progress.ImagesSeen:N0} / {progress.Images:N0}  {RunLines.Speed(progress)}");
        return new Rows(Bar(progress.ImagesSeen, progress.Images, text), new Text(RunLines.Losses(progress)).Overflow(Overflow.Crop));
    }

    private Paragraph Bar(long done, long count, string text)
    {
        var length = Math.Clamp(_width - text.Length - 1, 8, 40);
        var filled = (int)(length * done / count);
        return new Paragraph().Append(new string('━', filled), new Style(Color.Green)).Append(new string('━', length - filled), new Style(Color.Grey)).Append(text).Overflow(Overflow.Crop);
    }
}
