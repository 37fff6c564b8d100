using System.Globalization;
using System.Text;

namespace OnnxDistill.Bench;

internal static class Report
{
    /// <summary>The results as a page of Markdown.</summary>
    public static string Write(CrossCheck check, Comparison comparison, double gigaflops, double peak, double seconds)
    {
        var page = new StringBuilder();
        void Line(FormattableString text) => page.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"# A Diff-Instruct step, OnnxDistill against libtorch\n");
        Line($"Written by `tools/OnnxDistill.Bench` on a machine of the kind `{Machine.Name()}`, {Workload.Threads} threads a side. ONNX Runtime {Runtime.OrtRuntime.Version}, libtorch {TorchSharp.torch.__version__}.\n");
        Line($"Forty-mode mixture, MLP 4-400-400-400-400-2 as student, fake score and teacher, batch 1024. One iteration is one fake-score and one student update,");
        Line($"with noise, Adam and the average of the student's weights. Sides take turns, {comparison.Ours.Count} rounds of {seconds:0.#} s each after one that does not count; times are medians.\n");
        Line($"| | OnnxDistill | libtorch | ratio |\n| --- | --- | --- | --- |");
        Line($"| ms an iteration | {comparison.OurMedian:F1} | {comparison.TheirMedian:F1} | **{comparison.Ratio:F2}** |");
        Line($"| the same, mean of the rounds' means | {comparison.Ours.Average(r => r.Mean):F1} | {comparison.Theirs.Average(r => r.Mean):F1} | {comparison.Ours.Average(r => r.Mean) / comparison.Theirs.Average(r => r.Mean):F2} |");
        Line($"| median of the pairs' ratios (smallest to largest) | | | **{Statistics.Median(comparison.PairRatios):F2}** ({comparison.PairRatios.Min():F2} to {comparison.PairRatios.Max():F2}) |");
        Line($"| GFLOP/s of the {gigaflops:F2} GFLOP in matrix products | {gigaflops / comparison.OurMedian * 1000:F0} | {gigaflops / comparison.TheirMedian * 1000:F0} | |");
        Line($"| peak memory of the process, MB | {comparison.OurMemory / 1e6:F0} | {comparison.TheirMemory / 1e6:F0} | {(double)comparison.OurMemory / comparison.TheirMemory:F2} |\n");
        Line($"ONNX Runtime's best on a 1024 x 400 by 400 x 400 product alone, same run: {peak:F0} GFLOP/s.\n");
        Line($"Cross-check, {CrossCheck.Steps} iterations from the same weights with the same noise: losses differ by at most {check.Losses:E1}, parameters by {check.Weights:E1},");
        Line($"the changes that training made to them by {check.Updates:E1} (relative, norm by norm).\n");
        Line($"| round | OnnxDistill ms | libtorch ms | ratio |\n| --- | --- | --- | --- |");
        foreach (var (i, (a, b)) in comparison.Ours.Zip(comparison.Theirs).Index())
            Line($"| {i + 1} | {a.Median:F1} | {b.Median:F1} | {a.Median / b.Median:F2} |");
        return page.ToString();
    }
}
