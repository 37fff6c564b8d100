using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Tests.Gradients;
using OnnxDistill.Tests.Io;
using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Passes;

/// <summary>Forms for which ONNX Runtime's CPU provider has no kernel, against a formula written out here or against an equal form that it runs.</summary>
[TestClass]
public sealed class LoweringReferenceTests
{
    /// <summary>Absolute, for numbers of size 1 to 5 in float32.</summary>
    private const double Tolerance = 1e-5;

    [TestMethod]
    [DataRow(true, false, 1)]
    [DataRow(false, false, 0)]
    [DataRow(true, true, 1)]
    [DataRow(true, true, 0)]
    public void GroupNormEqualsItsFormula(bool channelsLast, bool skip, int activation)
    {
        long[] dims = channelsLast ? [2, 3, 2, 4] : [2, 4, 3, 2];
        var (x, gamma, beta, more, bias) = (Normal(dims), Normal(4), Uniform(-1, 1, 4), Normal(2, 4), Uniform(-2, 2, 4));
        var @case = new GradientCase(skip ? "SkipGroupNorm" : "GroupNorm", "", skip ? [x, gamma, beta, more, bias] : [x, gamma, beta],
            ("groups", 2), ("activation", activation), ("channels_last", channelsLast ? 1 : 0), ("epsilon", 1e-3))
        {
            Domain = "com.microsoft",
            Outputs = skip ? 2 : 1,
        };
        var found = Run(@case);

        // Place of (n, c, p) in either layout.
        int At(int n, int c, int p) => channelsLast ? (((n * 6) + p) * 4) + c : (((n * 4) + c) * 6) + p;
        var sum = new double[48];
        for (var n = 0; n < 2; n++)
            for (var c = 0; c < 4; c++)
                for (var p = 0; p < 6; p++)
                    sum[At(n, c, p)] = x.Numbers[At(n, c, p)] + (skip ? more.Numbers[(n * 4) + c] + bias.Numbers[c] : 0);
        var expected = new double[48];
        for (var n = 0; n < 2; n++)
        {
            for (var g = 0; g < 2; g++)
            {
                var members = (from c in new[] { 2 * g, (2 * g) + 1 } from p in Enumerable.Range(0, 6) select (C: c, Place: At(n, c, p))).ToList();
                var mean = members.Average(m => sum[m.Place]);
                var deviation = Math.Sqrt(members.Average(m => Math.Pow(sum[m.Place] - mean, 2)) + 1e-3);
                foreach (var (c, place) in members)
                {
                    var y = ((sum[place] - mean) / deviation * gamma.Numbers[c]) + beta.Numbers[c];
                    expected[place] = activation == 0 ? y : y / (1 + Math.Exp(-y));
                }
            }
        }
        AssertClose(expected, found[0]);
        if (skip)
            AssertClose(sum, found[1]);
    }

    [TestMethod]
    public void NhwcConvIsAConvolutionOfTransposedArrays()
    {
        var (x, w, b) = (Normal(1, 5, 4, 2), Normal(3, 3, 2, 2), Normal(3));
        var found = Run(new GradientCase("NhwcConv", "", [x, w, b], ("kernel_shape", new[] { 3, 2 }), ("strides", new[] { 2, 1 })) { Domain = "com.microsoft" });
        var expected = new double[2 * 3 * 3];
        for (var (o, i) = (0, 0); o < 3; o++)
            for (i = 0; i < 6; i++)
            {
                var (row, column) = (2 * (i / 3), i % 3);
                var sum = b.Numbers[o];
                for (var k = 0; k < 12; k++)
                {
                    var (dy, dx, c) = (k / 4, k / 2 % 2, k % 2);
                    sum += x.Numbers[((((row + dy) * 4) + column + dx) * 2) + c] * w.Numbers[(((((o * 3) + dy) * 2) + dx) * 2) + c];
                }
                expected[(i * 3) + o] = sum;
            }
        AssertClose(expected, found[0]);
    }

    [TestMethod]
    public void PackedQueriesKeysAndValuesEqualTheUnpacked()
    {
        // [N, S, heads, 3, D] is what [N, S, heads * D] of each is laid side by side.
        var (q, k, v) = (Normal(2, 3, 8), Uniform(-1, 1, 2, 3, 8), Uniform(-2, 2, 2, 3, 8));
        double[] Packed(params Arg[] parts) => [.. from row in Enumerable.Range(0, 12) from part in parts from d in Enumerable.Range(0, 4) select part.Numbers[(row * 4) + d]];
        GradientCase Of(params Arg[] inputs) => new("MultiHeadAttention", "", inputs, ("num_heads", 2)) { Domain = "com.microsoft" };
        var expected = Direct(Of(q, k, v));
        AssertClose(expected, Run(Of(Arg.Of([2, 3, 2, 3, 4], Packed(q, k, v))))[0]);
        AssertClose(expected, Run(Of(q, Arg.Of([2, 3, 2, 2, 4], Packed(k, v))))[0]);
    }

    [TestMethod]
    public void AMaskMayBeShorterThanTheKeys()
    {
        bool[] rows = [true, true, false, true, false, true, true, true, true, true, false, true];
        bool[] longer = [.. rows[..4], false, .. rows[4..8], false, .. rows[8..], false];
        Arg[] inputs = [Normal(2, 4, 3, 6), Normal(2, 4, 5, 6), Normal(2, 4, 5, 3)];
        AssertClose(Direct(new GradientCase("Attention", "", [.. inputs, Bools([3, 5], longer)]) { Opset = 24 }),
            Run(new GradientCase("Attention", "", [.. inputs, Bools([3, 4], rows)]) { Opset = 24 })[0]);
    }

    /// <summary>Opset 25: query i sees keys from i - left to i + right; ONNX Runtime 1.31.1 has no kernel, but a mask says the same.</summary>
    [TestMethod]
    public void AWindowIsAMask()
    {
        var mask = from i in Enumerable.Range(0, 4) from j in Enumerable.Range(0, 6) select j >= i - 2 && j <= i + 1;
        Arg[] inputs = [Normal(2, 4, 4, 6), Normal(2, 4, 6, 6), Normal(2, 4, 6, 3)];
        AssertClose(Direct(new GradientCase("Attention", "", [.. inputs, Bools([4, 6], [.. mask])]) { Opset = 24 }),
            Run(new GradientCase("Attention", "", inputs, ("left_window_size", 2), ("right_window_size", 1)) { Opset = 25 })[0]);
    }

    private static double[] Direct(GradientCase @case) =>
        OrtRuns.Run(OnnxWriter.ToBytes(@case.Build(ElementType.Float32)), @case.Feeds(ElementType.Float32))[0].ToDoubles();

    private static List<double[]> Run(GradientCase @case) =>
        [.. OrtRuns.Run(OnnxWriter.ToBytes(OpsetConverter.Convert(@case.Build(ElementType.Float32))), @case.Feeds(ElementType.Float32)).Select(static t => t.ToDoubles())];

    private static void AssertClose(double[] expected, double[] found)
    {
        Assert.HasCount(expected.Length, found);
        Assert.AreEqual(0, expected.Zip(found, static (a, b) => Math.Abs(a - b)).Max(), Tolerance, $"{string.Join(" ", expected.Take(8))}\n{string.Join(" ", found.Take(8))}");
    }
}
