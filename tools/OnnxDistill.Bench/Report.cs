using System.Globalization;
using System.Text;

namespace OnnxDistill.Bench;

internal static class Report
{
    /// <summary>The results as a page of Markdown. The README's table is read from the rows of its first table (see ReadmeBenchmarkTests).</summary>
    public static string Write(IWorkload workload, Setup setup, string check, Comparison comparison, double gigaflops, double peak, double seconds)
    {
        var page = new StringBuilder();
        void Line(FormattableString text) => page.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
        void Row(string what, double ours, double theirs, string format, double? ratio) => Line(
            $"| {what} | {ours.ToString(format, CultureInfo.InvariantCulture)} | {theirs.ToString(format, CultureInfo.InvariantCulture)} | {ratio?.ToString("F2", CultureInfo.InvariantCulture)} |");
        Line($"# {workload.Title}, OnnxDistill against libtorch\n");
        Line($"Written by `tools/OnnxDistill.Bench` on a machine of the kind `{Machine.Name()}`, {Setup.Threads} threads a side. ONNX Runtime {Runtime.OrtRuntime.Version}, libtorch {TorchSharp.torch.__version__}.\n");
        Line($"{workload.Subject.Description}{(workload.Images == 0 ? $"; batch {setup.Task.Batch}" : "")}. {workload.Description}");
        Line($"Sides take turns, {comparison.Ours.Count} rounds of {seconds:0.#} s each after one that does not count; times are medians, ratios are OnnxDistill's time over libtorch's.\n");
        Line($"| | OnnxDistill | libtorch | ratio |\n| --- | --- | --- | --- |");
        if (workload.Images > 0)
            Row("images a second", workload.Images / comparison.OurMedian * 1000, workload.Images / comparison.TheirMedian * 1000, "F0", comparison.Ratio);
        else
            Row("ms an iteration", comparison.OurMedian, comparison.TheirMedian, "F1", comparison.Ratio);
        var (ourMean, theirMean) = (comparison.Ours.Average(r => r.Mean), comparison.Theirs.Average(r => r.Mean));
        Row("mean of the rounds' mean times, ms", ourMean, theirMean, "F1", ourMean / theirMean);
        Line($"| median of the pairs' ratios (smallest to largest) | | | {Statistics.Median(comparison.PairRatios):F2} ({comparison.PairRatios.Min():F2} to {comparison.PairRatios.Max():F2}) |");
        Row(string.Create(CultureInfo.InvariantCulture, $"GFLOP/s of the {gigaflops:F2} GFLOP in products and convolutions"),
            gigaflops / comparison.OurMedian * 1000, gigaflops / comparison.TheirMedian * 1000, "F0", null);
        Row(string.Create(CultureInfo.InvariantCulture, $"the same, share of the {peak:F0} GFLOP/s of a product alone"),
            gigaflops / comparison.OurMedian * 1000 / peak, gigaflops / comparison.TheirMedian * 1000 / peak, "P0", null);
        Row("peak memory of the process, MB", comparison.OurMemory / 1e6, comparison.TheirMemory / 1e6, "F0", (double)comparison.OurMemory / comparison.TheirMemory);
        Line($"\nCross-check from the same weights with the same noise, largest relative differences (norm by norm): {check}.\n");
        Line($"| round | OnnxDistill ms | libtorch ms | ratio |\n| --- | --- | --- | --- |");
        foreach (var (i, (a, b)) in comparison.Ours.Zip(comparison.Theirs).Index())
            Line($"| {i + 1} | {a.Median:F1} | {b.Median:F1} | {a.Median / b.Median:F2} |");
        return page.ToString();
    }
}
