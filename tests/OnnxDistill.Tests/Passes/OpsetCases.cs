using OnnxDistill.Graph.Model;
using A = OnnxDistill.Graph.Model.AttributeMap;

namespace OnnxDistill.Tests.Passes;

/// <summary>One node in a form that is converted: a random input x, then constants, its outputs the model's.</summary>
/// <param name="OpType">The operator.</param>
/// <param name="Opset">The opset that the node is of.</param>
/// <param name="Dims">Shape of x.</param>
/// <param name="Attributes">The node's attributes.</param>
/// <param name="Constants">Further inputs; null where left out.</param>
/// <param name="Outputs">Number of outputs.</param>
/// <param name="NeedsShapes">Whether the conversion needs the shape of x.</param>
public sealed record OpsetCase(string OpType, int Opset, long[] Dims, AttributeMap? Attributes = null, TensorData?[]? Constants = null, int Outputs = 1,
    bool NeedsShapes = false)
{
    /// <summary>What the runs are fed.</summary>
    public IReadOnlyDictionary<string, TensorData> Feeds { get; } =
        new Dictionary<string, TensorData> { ["x"] = Random(new Random(3), ElementType.Float32, Dims) };

    /// <summary>The model, with the shape of x or without.</summary>
    public OnnxModel Build(bool shapesKnown)
    {
        var graph = new OnnxGraph { Name = OpType };
        var x = new Value("x", ElementType.Float32, shapesKnown ? Shape.Of(Dims) : null);
        graph.Inputs.Add(x);
        var constants = (Constants ?? []).Select((c, i) => c is null ? null : new Value($"c{i}", c.Type, c.Shape) { Constant = c }).ToArray();
        graph.Initializers.AddRange(constants.OfType<Value>());
        var outputs = Enumerable.Range(0, Outputs).Select(static i => new Value($"y{i}")).ToArray();
        graph.Outputs.AddRange(outputs);
        graph.Nodes.Add(new Node(OpType, [x, .. constants], outputs, Attributes, "node"));
        var model = new OnnxModel(graph) { IrVersion = Opset > 20 ? 10 : 8 };
        model.Opsets[""] = Opset;
        return model;
    }

    /// <summary>Normal numbers for floats, small classes for integers.</summary>
    public static TensorData Random(Random random, ElementType type, IEnumerable<long> dims)
    {
        var sizes = dims.ToArray();
        var count = sizes.Aggregate(1L, static (a, b) => a * b);
        return type == ElementType.Int64
            ? TensorData.Of(Enumerable.Range(0, (int)count).Select(_ => (long)random.Next(10)).ToArray(), sizes)
            : TensorData.Of(Enumerable.Range(0, (int)count)
                .Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))).ToArray(), sizes);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{OpType}-{Opset} [{string.Join(", ", Dims)}] {string.Join(", ", (Attributes ?? A.Empty).Select(static a => $"{a.Key}={Show(a.Value)}"))}";

    private static string Show(object value) => value is System.Collections.IEnumerable list and not string
        ? $"[{string.Join(" ", list.Cast<object>())}]" : value.ToString() ?? "";
}

/// <summary>The cases: a row, or a few, for each line of the list of conversions.</summary>
internal static class OpsetCases
{
    private static readonly long[] Image = [2, 4, 6, 5];

    private static readonly string[] Reductions =
        ["ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"];

    public static IReadOnlyList<OpsetCase> All { get; } =
    [
        new("AffineGrid", 20, [2, 2, 3], null, [TensorData.Of([2L, 1, 3, 4], 4)], NeedsShapes: true),
        new("AffineGrid", 20, [1, 3, 4], new A(("align_corners", 1)), [TensorData.Of([1L, 2, 2, 3, 4], 5)], NeedsShapes: true),
        new("AveragePool", 19, Image, new A(("kernel_shape", new long[] { 2, 2 }), ("dilations", new long[] { 1, 1 }))),
        new("AveragePool", 19, Image, new A(("kernel_shape", new long[] { 2, 2 }), ("dilations", new long[] { 2, 3 }), ("pads", new long[] { 1, 0, 0, 1 })),
            NeedsShapes: true),
        new("AveragePool", 22, Image, new A(("kernel_shape", new long[] { 2, 2 }), ("dilations", new long[] { 2, 1 }), ("pads", new long[] { 1, 0, 1, 1 }),
            ("count_include_pad", 1), ("strides", new long[] { 2, 1 })), NeedsShapes: true),
        // ceil_mode: nothing to round up, a window more that pads count in and not, and one that would start on the pads.
        new("AveragePool", 22, Image, new A(("kernel_shape", new long[] { 2, 2 }), ("dilations", new long[] { 2, 2 }), ("ceil_mode", 1)), NeedsShapes: true),
        new("AveragePool", 22, [1, 2, 7, 8], new A(("kernel_shape", new long[] { 2, 3 }), ("dilations", new long[] { 2, 2 }), ("strides", new long[] { 3, 2 }),
            ("pads", new long[] { 0, 1, 0, 0 }), ("ceil_mode", 1)), NeedsShapes: true),
        new("AveragePool", 22, [1, 2, 7, 8], new A(("kernel_shape", new long[] { 2, 3 }), ("dilations", new long[] { 2, 2 }), ("strides", new long[] { 3, 2 }),
            ("pads", new long[] { 0, 1, 0, 0 }), ("ceil_mode", 1), ("count_include_pad", 1)), NeedsShapes: true),
        new("AveragePool", 10, [1, 1, 2, 2], new A(("kernel_shape", new long[] { 3, 3 }), ("strides", new long[] { 3, 3 }), ("pads", new long[] { 1, 1, 1, 1 }),
            ("ceil_mode", 1), ("count_include_pad", 1)), NeedsShapes: true),
        new("MaxPool", 12, [1, 1, 2, 2], new A(("kernel_shape", new long[] { 1, 1 }), ("strides", new long[] { 2, 2 }), ("ceil_mode", 1)), NeedsShapes: true),
        new("MaxPool", 22, Image, new A(("kernel_shape", new long[] { 2, 2 }), ("strides", new long[] { 3, 3 }), ("ceil_mode", 1))),
        new("BatchNormalization", 7, Image, new A(("spatial", 1), ("epsilon", 1e-3f)), [Floats(4), Floats(4), Floats(4), Positive(4)]),
        new("BatchNormalization", 9, Image, null, [Floats(4), Floats(4), Floats(4), Positive(4)]),
        new("Cast", 19, Image, new A(("to", ElementType.Float64), ("saturate", 1))),
        new("CastLike", 19, Image, new A(("saturate", 1)), [TensorData.Of([1.0], 1)]),
        new("Clip", 7, Image, new A(("min", -0.5f), ("max", 0.25f))),
        new("Clip", 10, Image, new A(("max", 0.25f))),
        new("Clip", 10, Image),
        new("DeformConv", 19, Image, new A(("pads", new long[] { 1, 1, 1, 1 })), [Floats(3, 4, 3, 3), Offsets(2, 18, 6, 5), Floats(3), Floats(2, 9, 6, 5)],
            NeedsShapes: true),
        new("DeformConv", 19, Image, null, [Floats(3, 4, 1, 1), Offsets(2, 2, 6, 5)], NeedsShapes: true),
        new("DeformConv", 22, Image, new A(("group", 2), ("offset_group", 4), ("strides", new long[] { 2, 1 }), ("dilations", new long[] { 1, 2 }),
            ("pads", new long[] { 1, 0, 2, 1 })), [Floats(6, 2, 3, 2), Offsets(2, 48, 4, 4), null, Floats(2, 24, 4, 4)], NeedsShapes: true),
        new("DeformConv", 22, Image, new A(("offset_group", 2), ("group", 4)), [Floats(4, 1, 2, 3), Offsets(2, 24, 5, 3), Floats(4)], NeedsShapes: true),
        new("Compress", 9, Image, new A(("axis", 1)), [TensorData.Of([true, false, true], 3)]),
        new("Compress", 18, [2, 3], null, [TensorData.Of([false, true, true, false, false, true], 6)]),
        new("Dropout", 7, Image, new A(("ratio", 0.3f))),
        new("Dropout", 10, Image),
        new("Gelu", 20, Image),
        new("Gelu", 20, Image, new A(("approximate", "tanh"))),
        new("GridSample", 20, Image, new A(("mode", "linear")), [Grid()]),
        new("GridSample", 20, Image, new A(("mode", "cubic"), ("padding_mode", "reflection")), [Grid()]),
        new("GridSample", 20, [1, 2, 3, 4, 5], new A(("mode", "linear"), ("padding_mode", "reflection"), ("align_corners", 1)), [Volume()], NeedsShapes: true),
        new("GridSample", 22, [1, 2, 3, 4, 5], new A(("mode", "nearest")), [Volume()], NeedsShapes: true),
        new("GroupNormalization", 18, Image, new A(("num_groups", 2), ("epsilon", 1e-3f)), [Floats(2), Floats(2)]),
        new("GroupNormalization", 21, Image, new A(("num_groups", 2), ("epsilon", 1e-3f)), [Floats(4), Floats(4)]),
        new("GroupNormalization", 21, [2, 6, 5], new A(("num_groups", 3)), [Floats(6), Floats(6)]),
        .. SoftmaxFamily(),
        new("Pad", 7, Image, new A(("pads", new long[] { 0, 0, 1, 2, 0, 0, 0, 1 }), ("value", 2.5f))),
        new("Pad", 10, Image, new A(("mode", "reflect"), ("pads", new long[] { 0, 0, 1, 2, 0, 0, 0, 1 }))),
        new("Pad", 21, Image, new A(("mode", "edge")), [TensorData.Of([0L, 0, 1, 2, 0, 0, 0, 1], 8)]),
        new("Pad", 19, Image, new A(("mode", "wrap")), [TensorData.Of([0L, 1, 2, 5, 1, 0, 3, 0], 8)], NeedsShapes: true),
        new("Pad", 21, Image, new A(("mode", "wrap")), [TensorData.Of([-2L, 1], 2), null, TensorData.Of([-1L], 1)], NeedsShapes: true),
        new("RMSNormalization", 23, Image, null, [Floats(5)]),
        new("RMSNormalization", 23, Image, new A(("axis", -2), ("epsilon", 1e-2f)), [Floats(6, 5)]),
        new("RMSNormalization", 23, Image, new A(("axis", 2)), [Floats(6, 5)], NeedsShapes: true),
        .. Reductions.Select(static op => new OpsetCase(op, 11, Image, new A(("axes", new long[] { 1, -1 }), ("keepdims", 0)))),
        .. Reductions.Select(static op => new OpsetCase(op, 7, Image)),
        new("ReduceLogSum", 11, [2, 2], new A(("axes", new long[] { 0 })), NeedsShapes: true),
        new("ReduceMax", 20, Image, null, [TensorData.Of([1L], 1)]),
        new("ReduceMin", 20, Image, null, [TensorData.Of([1L], 1)]),
        new("Resize", 10, Image, new A(("mode", "nearest")), [Scales(1, 1, 2, 3)]),
        new("Resize", 10, Image, new A(("mode", "nearest")), [Scales(1, 1, 0.6f, 0.5f)]),
        new("Resize", 10, Image, new A(("mode", "linear")), [Scales(1, 1, 2, 1.5f)]),
        new("Resize", 11, Image, new A(("mode", "cubic")), [Scales(), Scales(), TensorData.Of([2L, 4, 9, 10], 4)]),
        new("Resize", 13, Image, new A(("mode", "nearest")), [null, Scales(1, 1, 2, 0.5f)]),
        new("Resize", 19, Image, new A(("mode", "linear")), [null, Scales(1, 1, 2, 2)]),
        new("Resize", 11, Image, new A(("coordinate_transformation_mode", "tf_half_pixel_for_nn")), [Scales(), Scales(1, 1, 0.7f, 2.3f)], NeedsShapes: true),
        new("Resize", 19, Image, new A(("mode", "linear"), ("coordinate_transformation_mode", "half_pixel_symmetric")), [null, Scales(1, 1, 0.7f, 2.3f)], NeedsShapes: true),
        new("Resize", 19, Image, new A(("coordinate_transformation_mode", "half_pixel_symmetric"), ("nearest_mode", "ceil")), [null, Scales(1, 1, 2.3f, 0.7f)], NeedsShapes: true),
        new("Resize", 21, Image, new A(("mode", "cubic"), ("coordinate_transformation_mode", "half_pixel_symmetric")), [null, Scales(1, 1, 2.3f, 0.7f)], NeedsShapes: true),
        new("RoiAlign", 10, Image, new A(("output_height", 2), ("output_width", 2)), [Rois(), TensorData.Of([1L, 0], 2)]),
        new("Scatter", 9, [2, 3], new A(("axis", 1)), [TensorData.Of([2L, 0], 2, 1), Floats(2, 1)]),
        new("Slice", 9, Image, new A(("starts", new long[] { 1, -3 }), ("ends", new long[] { 4, 99 }), ("axes", new long[] { 1, 3 }))),
        new("Slice", 7, Image, new A(("starts", new long[] { 0, 1 }), ("ends", new long[] { 1, 3 }))),
        new("Split", 11, Image, new A(("axis", 2), ("split", new long[] { 1, 2, 3 })), Outputs: 3),
        new("Split", 7, Image, new A(("axis", 1)), Outputs: 2),
        new("Split", 13, Image, new A(("axis", 1)), [TensorData.Of([3L, 1], 2)], Outputs: 2),
        new("Split", 13, Image, new A(("axis", -2)), Outputs: 3),
        new("Squeeze", 11, [1, 3, 1], new A(("axes", new long[] { 0, -1 }))),
        new("Squeeze", 7, [1, 3, 1]),
        new("Swish", 24, Image),
        new("Swish", 24, Image, new A(("alpha", 1.7f))),
        new("TopK", 9, Image, new A(("k", 3), ("axis", 2)), Outputs: 2),
        new("Unsqueeze", 11, [2, 3], new A(("axes", new long[] { 0, 2 }))),
        new("Upsample", 7, Image, new A(("scales", new[] { 1f, 1f, 2f, 3f }))),
        new("Upsample", 9, Image, new A(("mode", "linear")), [Scales(1, 1, 2, 2)]),
    ];

    private static IEnumerable<OpsetCase> SoftmaxFamily() =>
        from op in new[] { "Hardmax", "LogSoftmax", "Softmax" }
        from axis in new int?[] { null, 0, 2, 3, -1, -2 }
        select new OpsetCase(op, 11, [2, 3, 2, 4], new A(("axis", axis)));

    // Some fall outside the image, all lie off the pixels.
    private static TensorData Offsets(params long[] dims) => TensorData.Of(Array.ConvertAll(Floats(dims).As<float>().ToArray(), static f => 1.5f * f), dims);

    private static TensorData Floats(params long[] dims) => OpsetCase.Random(new Random(7), ElementType.Float32, dims);

    private static TensorData Positive(long count) => TensorData.Of(Array.ConvertAll(Floats(count).As<float>().ToArray(), static f => 0.5f + f * f), count);

    private static TensorData Scales(params float[] factors) => TensorData.Of(factors, factors.Length);

    private static TensorData Grid() => TensorData.Of(Array.ConvertAll(Floats(2, 3, 3, 2).As<float>().ToArray(), static f => f / 2), 2, 3, 3, 2);

    private static TensorData Volume() => TensorData.Of(Array.ConvertAll(Floats(1, 2, 3, 2, 3).As<float>().ToArray(), static f => f / 2), 1, 2, 3, 2, 3);

    private static TensorData Rois() => TensorData.Of([0f, 0, 4, 4, 1, 1.5f, 3, 5], 2, 4);
}
