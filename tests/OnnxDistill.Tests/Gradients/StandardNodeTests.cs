using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Io.Proto;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Verification;

namespace OnnxDistill.Tests.Gradients;

/// <summary>
/// The ONNX standard's own node tests, where a copy is at hand: a folder of <c>NAME/model.onnx</c> with <c>test_data_set_0/input_K.pb</c>, as
/// <c>backend-test-tools generate-data</c> of the onnx package writes them, named by the variable ONNXDISTILL_NODE_TESTS. Every model that ONNX
/// Runtime runs must give the same numbers once converted and folded, and its gradients must equal central differences, or it must be refused.
/// </summary>
[TestClass]
public sealed class StandardNodeTests
{
    /// <summary>Relative to the largest number: float32 on both sides, sums in another order.</summary>
    private const double ForwardTolerance = 2e-5;

    /// <summary>Tests whose numbers lie where differences cannot tell: on a kink, at a tie, or so large that float32 loses the step; and random ones.</summary>
    private static readonly HashSet<string> BeyondDifferences =
    [
        "test_acosh_example", // the slope at 1 is infinite
        "test_attention_4d_softcap_neginf_mask", "test_attention_4d_softcap_neginf_mask_poison", // an input is infinite
        // One output holds the lowest float, beside which no difference of the others shows.
        "test_attention_4d_with_past_and_present_qk_matmul_bias_3d_mask_causal", "test_attention_4d_with_past_and_present_qk_matmul_bias_4d_mask_causal",
        // Bilinear sampling at whole pixels
        "test_basic_deform_conv_with_padding", "test_basic_deform_conv_without_padding", "test_deform_conv_with_mask_bias",
        "test_deform_conv_with_multiple_offset_groups",
        "test_bernoulli", "test_bernoulli_double", // draws random numbers
        "test_gridsample_bilinear_align_corners_1_additional_1", "test_gridsample_volumetric_bilinear_align_corners_0",
        "test_gridsample_volumetric_bilinear_align_corners_1", "test_gridsample_aligncorners_true", "test_gridsample_bilinear", // places exactly on elements, where bilinear has a kink
        "test_elu_example", "test_leakyrelu_example", "test_selu_example", // one element is 0
        "test_logsoftmax_large_number", "test_logsoftmax_large_number_expanded", "test_softmax_large_number", "test_softmax_large_number_expanded", // 1e4
        "test_maxpool_3d_dilations", "test_maxpool_3d_dilations_use_ref_impl", // equal slices, which tie
        "test_reduce_min_default_axes_keepdims_example", // two elements tie
    ];

    public required TestContext TestContext { get; set; }

    [TestMethod]
    [TestCategory("Slow")]
    public void EveryNodeIsConvertedAndDifferentiatedOrRefused()
    {
        if (Environment.GetEnvironmentVariable("ONNXDISTILL_NODE_TESTS") is not { Length: > 0 } folder)
        {
            Assert.Inconclusive("ONNXDISTILL_NODE_TESTS names no folder of the standard's node tests.");
            return;
        }
        var verdicts = Directory.GetFiles(folder, "model.onnx", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(path => (Name: Path.GetFileName(Path.GetDirectoryName(path))!, Verdict: Judge(path))).ToList();
        foreach (var group in verdicts.GroupBy(static v => v.Verdict.Split(':')[0]).OrderBy(static g => g.Key, StringComparer.Ordinal))
        {
            TestContext.WriteLine($"{group.Key}: {group.Count()}");
            foreach (var (name, verdict) in group.Where(static v => v.Verdict.Contains(':')))
                TestContext.WriteLine($"   {name} {verdict}");
        }
        Assert.AreEqual("", string.Join("\n", verdicts.Where(static v => v.Verdict.StartsWith("WRONG", StringComparison.Ordinal))));
    }

    private static string Judge(string path)
    {
        OnnxModel model;
        Dictionary<string, TensorData> feeds;
        try
        {
            (model, feeds) = Load(path);
        }
        catch (Exception e) when (e is UnsupportedOpException or ModelFileException or InvalidOperationException)
        {
            return $"not read: {FirstLine(e)}";
        }
        IReadOnlyDictionary<string, TensorData> expected;
        try
        {
            using var raw = GraphSession.Create(model);
            expected = raw.Run(feeds);
        }
        catch (Exception e) when (e is UnsupportedOpException or ModelFileException or GraphRunException or ArgumentException)
        {
            return $"ONNX Runtime does not run it: {FirstLine(e)}";
        }
        if (BeyondDifferences.Contains(Path.GetFileName(Path.GetDirectoryName(path))!))
            return "beyond what differences can tell";
        if (!model.Graph.Inputs.Any(static i => i.Type.IsFloating()) || !model.Graph.Outputs.Any(static o => o.Type.IsFloating()))
            return "nothing to differentiate";
        try
        {
            var converted = CheckedModel.Prepare(model, feeds, new GradientCheckOptions());
            using (var session = GraphSession.Create(new OnnxModel(converted.Graph)))
            {
                if (Difference(expected, session.Run(feeds)) is { } difference)
                    return $"WRONG forward: {difference}";
            }
            var report = GradientCheck.Run(converted, feeds, new GradientCheckOptions());
            return report.Passed ? report.Rows.All(static r => r.Verdict == GradientVerdict.Agrees) ? "agrees" : "agrees, in part too weak to tell"
                : $"WRONG gradient: {report.Rows.First(static r => !r.Passed)}";
        }
        catch (UnsupportedOpException e)
        {
            return $"refused: {FirstLine(e)}";
        }
        catch (CheckFailedException e)
        {
            return $"not finite: {FirstLine(e)}";
        }
        catch (Exception e)
        {
            return $"WRONG, fails: {e.GetType().Name} {FirstLine(e)}";
        }
    }

    /// <summary>The model with everything but floating inputs made constant, as exporters have axes, shapes and indices.</summary>
    private static (OnnxModel Model, Dictionary<string, TensorData> Feeds) Load(string path)
    {
        var model = OnnxReader.Read(path);
        var tensors = new Dictionary<string, TensorData>(StringComparer.Ordinal);
        var set = Path.Combine(Path.GetDirectoryName(path)!, "test_data_set_0");
        for (var i = 0; i < model.Graph.Inputs.Count; i++)
        {
            var context = new ReadContext(path, null);
            var tensor = TensorDecoder.Decode(TensorProto.Parser.ParseFrom(File.ReadAllBytes(Path.Combine(set, $"input_{i}.pb"))), "input", context);
            context.ThrowIfAny();
            tensors[model.Graph.Inputs[i].Name] = tensor!;
        }
        foreach (var input in model.Graph.Inputs.Where(static i => !i.Type.IsFloating() || i.Name is "scales" or "roi" or "ratio" or "r").ToList())
        {
            model.Graph.Inputs.Remove(input);
            input.Constant = tensors[input.Name];
            model.Graph.Initializers.Add(input);
            tensors.Remove(input.Name);
        }
        return (model, tensors);
    }

    private static string? Difference(IReadOnlyDictionary<string, TensorData> expected, IReadOnlyDictionary<string, TensorData> actual)
    {
        foreach (var (name, a) in expected)
        {
            var b = actual[name];
            if (a.Type != b.Type || !a.Shape.Equals(b.Shape))
                return $"'{name}' was {a.Type}{a.Shape} and is {b.Type}{b.Shape}";
            if (!a.Type.IsFloating())
            {
                if (!a.Bytes.SequenceEqual(b.Bytes))
                    return $"'{name}' has other numbers";
                continue;
            }
            var (x, y) = (a.ToDoubles(), b.ToDoubles());
            var scale = x.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max() + 1e-3;
            var worst = x.Zip(y, static (p, q) => p.Equals(q) ? 0 : double.IsNaN(p - q) ? double.PositiveInfinity : Math.Abs(p - q)).DefaultIfEmpty(0).Max();
            if (worst > (a.Type is ElementType.Float16 or ElementType.BFloat16 ? 1e-2 : ForwardTolerance) * scale)
                return FormattableString.Invariant($"'{name}' differs by {worst:G3} of {scale:G3}");
        }
        return null;
    }

    private static string FirstLine(Exception e) => e.Message.ReplaceLineEndings("\n").Split('\n') is var lines && lines.Length > 1
        ? $"{lines[0]} {lines[1].Trim()}" : lines[0];
}
