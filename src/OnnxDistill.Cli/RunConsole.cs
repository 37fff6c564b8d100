using System.Globalization;
using OnnxDistill.Training;

namespace OnnxDistill.Cli;

/// <summary>Shows a run: one line that renews itself on a terminal, plain lines when redirected, nothing under --json.</summary>
internal sealed class RunConsole(bool quiet) : IRunObserver
{
    private readonly bool _terminal = !quiet && !Console.IsOutputRedirected;
    private bool _lineOpen;

    public void Progress(RunProgress progress)
    {
        if (quiet)
            return;
        var losses = string.Join("  ", progress.Numbers.Where(n => n.Key.StartsWith("loss_", StringComparison.Ordinal))
            .Select(n => string.Create(CultureInfo.InvariantCulture, $"{n.Key} {n.Value:G4}")));
        var text = string.Create(CultureInfo.InvariantCulture,
            $"{progress.ImagesSeen,10:N0} / {progress.Images:N0}  {losses}  {progress.ImagesPerSecond:N0} images/s  {Duration(progress.Remaining)} left");
        if (_terminal)
        {
            Console.Write($"\r{text,-110}");
            _lineOpen = true;
        }
        else
        {
            Console.WriteLine(text);
        }
    }

    public void Measured(long imagesSeen, IReadOnlyDictionary<string, double> metrics) => Note(string.Create(CultureInfo.InvariantCulture,
        $"{imagesSeen,10:N0}: {string.Join("  ", metrics.Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.Key} {m.Value:G5}")))}"));

    public void Note(string text)
    {
        if (quiet)
            return;
        if (_lineOpen)
            Console.WriteLine();
        _lineOpen = false;
        Console.WriteLine(text);
    }

    private static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes:D2} min")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds:D2} s");
}
