using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Importing;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Normalization;

namespace OnnxDistill.Methods;

/// <summary>
/// The distance of two batches of images, a scalar, by a frozen network of the user's choice whose weights become constants of the loss graph. A network with two inputs
/// gives the distance itself (LPIPS: Zhang et al. 2018, arXiv 1801.03924, as exported). One with a single input gives features: the distance is the mean
/// squared difference, summed over the tensors. Without a network it is the mean squared error of the pixels.
/// </summary>
internal static class PerceptualDistance
{
    private const int UsualSize = 224;

    /// <summary>The mean over the batch of the distance of x to y.</summary>
    /// <exception cref="RecipeException">The network takes something other than such images, or has no such tensor.</exception>
    public static Value Between(LossContext c, PerceptualOptions options, Value x, Value y)
    {
        var b = c.B;
        if (options.Model.Length == 0)
            return b.ReduceMean(b.Square(b.Sub(x, y)), keepDims: false);
        var network = Load(c.Task, options);
        var (left, right) = (Prepared(c, options, network, x), Prepared(c, options, network, y));
        if (network.Inputs is [var first, var second])
        {
            var distances = Run(b, network, (first, left), (second, right));
            return b.ReduceMean(distances[0], keepDims: false);
        }
        var terms = Run(b, network, (network.Inputs[0], left)).Zip(Run(b, network, (network.Inputs[0], right)), (f, g) =>
            b.ReduceMean(b.Square(b.Sub(Feature(b, options, f), Feature(b, options, g))), keepDims: false));
        return b.Sum([.. terms]);
    }

    private static Value[] Run(GraphBuilder b, OnnxGraph network, params IEnumerable<(Value Input, Value Images)> bound) =>
        b.Inline(network, "perceptual", bound.ToDictionary(p => p.Input.Name, p => p.Images), DropoutMasks.Inference);

    // LPIPS' unit length, with its 1e-10 under the root: where all channels are 0 the root's slope would be infinite.
    private static Value Feature(GraphBuilder b, PerceptualOptions options, Value feature) => !options.Normalize || feature.Shape.Rank < 2 ? feature
        : b.Div(feature, b.Sqrt(b.Add(b.ReduceSum(b.Square(feature), [1]), 1e-10)));

    // [-1, 1] to [0, 1], to the network's size, to what it was trained on.
    private static Value Prepared(LossContext c, PerceptualOptions options, OnnxGraph network, Value images)
    {
        var b = c.B;
        var shape = network.Inputs[0].Shape;
        var pixels = b.Mul(b.Add(images, 1), 0.5);
        if (!shape.Skip(2).SequenceEqual(images.Shape.Skip(2)))
        {
            var resized = Shape.Of([.. images.Shape.Sizes()[..2], .. shape.Sizes()[2..]]);
            pixels = b.Emit("Resize", [pixels, null, null, b.Longs(resized.Sizes())], pixels.Type, resized, ("mode", "linear"), ("coordinate_transformation_mode", "half_pixel"));
        }
        // A network of colours sees a grey image as three equal planes, by broadcast.
        return b.Expand(b.Div(b.Sub(pixels, Channels(b, options.Mean)), Channels(b, options.Deviation)), shape);
    }

    private static Value Channels(GraphBuilder b, double[] numbers) => b.Constant(TensorData.Of(Array.ConvertAll(numbers, n => (float)n), 1, numbers.Length, 1, 1));

    private static OnnxGraph Load(DistillationTask task, PerceptualOptions options)
    {
        var model = OnnxReader.Read(options.Model);
        RecipeException Refuse(string key, string problem) => new($"options.perceptual.{key}: '{options.Model}' {problem}");
        var inputs = model.Graph.Inputs.FindAll(i => model.Graph.Initializers.TrueForAll(w => w.Name != i.Name));
        if (inputs.Count is not (1 or 2) || !inputs.TrueForAll(i => i is { Type: ElementType.Float32, KnownShape.Rank: 4 }))
        {
            throw Refuse("model", $"takes {string.Join(", ", inputs.Select(i => $"'{i.Name}' {i.Type}{i.KnownShape}"))}, expected one batch of images (features) or two (a distance), "
                + "Float32[N, channels, height, width] each.");
        }
        if (inputs.Count == 2 && (model.Graph.Outputs.Count != 1 || options.Tensors.Length > 0))
            throw Refuse("model", $"takes two batches of images and gives {string.Join(", ", model.Graph.Outputs.Select(o => o.Name))}, expected one distance, and no tensors to compare.");
        if (task.DataShape is not [var channels, _, _])
            throw Refuse("model", $"looks at images, but samples are [{string.Join(", ", task.DataShape)}]. Leave it out: the distance is then the mean squared error.");

        var wanted = inputs[0].Shape;
        long Extent(int axis) => options.Size > 0 ? options.Size : wanted[axis].IsKnown ? wanted[axis].Size : UsualSize;
        var planes = wanted[1].IsKnown ? wanted[1].Size : Math.Max(channels, Math.Max(options.Mean.Length, options.Deviation.Length));
        if ((planes != channels && channels != 1) || (planes == 1 && Math.Max(options.Mean.Length, options.Deviation.Length) > 1))
            throw Refuse("model", $"takes {planes} channels, found samples of {channels}, {options.Mean.Length} means and {options.Deviation.Length} deviations.");
        if (Enumerable.Range(2, 2).Any(axis => wanted[axis].IsKnown && wanted[axis].Size != Extent(axis)))
            throw Refuse("size", $"takes images {wanted}, found {options.Size}. Leave the size out.");
        Tap(model.Graph, options, name => Refuse("tensors", $"has no tensor '{name}'. Look for a name with 'onnxdistill inspect'."));
        DropoutNodes.ToInference(model.Graph);
        RawCoverage.Of(model).ThrowIfIncomplete();
        long[] shape = [task.Batch, planes, Extent(2), Extent(3)];
        return ModelPreparation.Prepare(model, new NormalizeOptions { Shapes = inputs.ToDictionary(i => i.Name, _ => shape) }).Graph;
    }

    // The tensors become the outputs.
    private static void Tap(OnnxGraph graph, PerceptualOptions options, Func<string, RecipeException> refuse)
    {
        var values = graph.Outputs.Concat(graph.Nodes.SelectMany(n => n.Outputs)).OfType<Value>().DistinctBy(v => v.Name).ToDictionary(v => v.Name);
        var tapped = options.Tensors.Select(name => values.GetValueOrDefault(name) ?? throw refuse(name)).ToList();
        if (tapped.Count > 0)
        {
            graph.Outputs.Clear();
            graph.Outputs.AddRange(tapped);
        }
        foreach (var output in graph.Outputs)
            (output.Type, output.KnownShape) = (ElementType.Float32, null);
    }
}
