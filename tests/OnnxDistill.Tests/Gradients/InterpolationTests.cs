using OnnxDistill.Graph.Building.Resampling;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Tests.Io;

namespace OnnxDistill.Tests.Gradients;

/// <summary>The matrices that stand for Resize are what ONNX Runtime does: resampling the unit vectors gives them, column by column.</summary>
[TestClass]
public sealed class InterpolationTests
{
    /// <summary>ONNX Runtime forms cubic weights in float32, where terms of up to 10 cancel to 0.1, and divides by sums down to 0.3 when nothing is
    /// taken from outside; all other weights are the same float32 numbers.</summary>
    private const double CubicRounding = 1e-5;

    private static readonly string[] Coordinates =
        ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize", "tf_half_pixel_for_nn"];

    private static readonly float[] Factors = [0.1f, 0.3f, 0.5f, 0.6f, 0.75f, 0.9f, 1.1f, 1.25f, 1.3f, 1.5f, 1.7f, 2, 2.6f, 3, 3.5f, 4.9f];

    public static IEnumerable<object[]> Modes =>
        from coordinates in Coordinates
        from mode in new[] { "nearest/round_prefer_floor", "nearest/round_prefer_ceil", "nearest/floor", "nearest/ceil", "linear/", "cubic/", "cubic/outside" }
        select new object[] { coordinates, mode };

    [TestMethod]
    [DynamicData(nameof(Modes))]
    public void MatricesAreWhatOnnxRuntimeDoes(string coordinates, string mode)
    {
        var (name, detail) = (mode.Split('/')[0], mode.Split('/')[1]);
        var attributes = new AttributeMap(("mode", name), ("coordinate_transformation_mode", coordinates), ("nearest_mode", name == "nearest" ? detail : null),
            ("exclude_outside", detail == "outside" ? 1 : 0));
        var (graph, matrices) = (new OnnxGraph { Name = "resize" }, new List<(string Output, TensorData Matrix)>());
        var roi = Constant(graph, "roi", TensorData.Of([0f, 0.15f, 1f, 1.1f], 4));
        foreach (var extent in new long[] { 1, 2, 3, 5, 8, 13, 32 })
        {
            var unit = Constant(graph, $"unit{extent}", Unit(extent));
            foreach (var factor in Factors.Where(f => (long)(f * extent) > 0))
            {
                var scales = Constant(graph, $"scales{extent}x{factor}", TensorData.Of([1f, factor], 2));
                var resized = new Value($"y{extent}x{factor}");
                var node = new Node("Resize", [unit, coordinates == "tf_crop_and_resize" ? roi : null, scales], [resized], attributes);
                graph.Nodes.Add(node);
                graph.Outputs.Add(resized);
                foreach (var axis in ResizeAxis.Of(node, static v => v?.Constant).Axes)
                    matrices.Add((resized.Name, Interpolation.Of(node).Matrix(axis, ElementType.Float32)));
            }
        }
        // Opset 19, because half_pixel_symmetric belongs to it; ONNX Runtime's kernel is the same at 18.
        var model = new OnnxModel(graph) { IrVersion = 8 };
        model.Opsets[""] = 19;
        var outputs = graph.Outputs.Select(static o => o.Name).Zip(OrtRuns.Run(OnnxWriter.ToBytes(model), new Dictionary<string, TensorData>())).ToDictionary();
        Assert.IsGreaterThan(50, matrices.Count);
        foreach (var (output, matrix) in matrices)
        {
            var (rows, columns) = (matrix.Dims[0], matrix.Dims[1]);
            CollectionAssert.AreEqual(new[] { columns, rows }, outputs[output].Dims, output);
            var (expected, found) = (outputs[output].As<float>().ToArray(), matrix.As<float>().ToArray());
            for (var i = 0; i < found.Length; i++)
                Assert.AreEqual(expected[(i % columns * rows) + (i / columns)], found[i], name == "cubic" ? CubicRounding : 0, $"{output}, row {i / columns}, column {i % columns}");
        }
    }

    private static Value Constant(OnnxGraph graph, string name, TensorData data)
    {
        var value = new Value(name, data.Type, data.Shape) { Constant = data };
        graph.Initializers.Add(value);
        return value;
    }

    private static TensorData Unit(long extent)
    {
        var unit = new float[extent * extent];
        for (var i = 0; i < extent; i++)
            unit[(i * extent) + i] = 1;
        return TensorData.Of(unit, extent, extent);
    }
}
