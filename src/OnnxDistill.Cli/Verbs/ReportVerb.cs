using System.CommandLine;
using System.Globalization;
using OnnxDistill.Reporting;
using OnnxDistill.Runtime;

namespace OnnxDistill.Cli.Verbs;

/// <summary>Writes the report of a run.</summary>
internal static class ReportVerb
{
    public static Command Create()
    {
        var run = new Argument<string>("RUN") { Description = "Run folder; the run may still be going on." };
        var output = new Option<string>("--output", "-o") { HelpName = "FILE", Description = "The report, an HTML file; without it report.html in the run folder." };
        var noDemo = new Option<bool>("--no-demo") { Description = "Leave out the generator to draw from, which makes the file about 5 MB larger." };
        var runtime = RuntimeOption();
        return Verb.Create("report", "Write a run as one HTML page that needs nothing else: curves, pictures through time, numbers, options, and its generator to draw from.",
            [run, output, noDemo, runtime], (parsed, report, _) =>
        {
            var target = parsed.GetValue(output);
            if (target is not null)
                OutputFile.Require(target);
            HtmlReport.Require(parsed.GetValue(run)!);
            var reason = "The report was made without the generator (--no-demo).";
            var web = parsed.GetValue(noDemo) ? null : FindRuntime(parsed.GetValue(runtime), report, out reason);
            var (path, bytes) = HtmlReport.Write(parsed.GetValue(run)!, target, web, reason);
            report.Set("report", path);
            report.Set("bytes", bytes);
            report.Set("demo", web is not null);
            report.Line(string.Create(CultureInfo.InvariantCulture, $"{path}: {bytes / 1e6:F1} MB, opens in any browser"));
            return ExitCodes.Done;
        });
    }

    /// <summary>Where the browsers' ONNX Runtime lies; pages of all verbs take it.</summary>
    public static Option<string> RuntimeOption() => new("--web-runtime")
    {
        HelpName = "FOLDER",
        Description = $"Folder with ONNX Runtime for browsers (dist of the npm package onnxruntime-web {WebRuntime.PinnedVersion}); without it the one in {WebRuntime.Variable}, else npm fetches it once.",
    };

    // A report without its demo is still a report; but a folder that somebody named is meant.
    private static WebRuntime? FindRuntime(string? folder, Report report, out string reason)
    {
        reason = "";
        try
        {
            return WebRuntime.Find(folder, report.Line);
        }
        catch (RuntimeUnavailableException error)
        {
            reason = error.Message;
            report.Line($"without the generator to draw from: {reason}");
            return null;
        }
    }
}
