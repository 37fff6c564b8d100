using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;

namespace OnnxDistill.Students;

/// <summary>How an exported generator gives its images.</summary>
public enum PixelForm
{
    /// <summary>float32 [N, C, H, W] in [-1, 1].</summary>
    Float,
    /// <summary>uint8 [N, H, W, C], 0 to 255.</summary>
    Byte,
}

/// <summary>
/// The last nodes of an exported generator: x → Clip(x, -1, 1), or → Transpose(Cast(Round(Clip(127.5 x + 127.5, 0, 255)) → uint8)), halves to the even one, as the
/// pictures of this project are drawn. Only files that <c>export</c> writes have them, for clamping has no gradient outside: a run's own generators end before it, and what
/// is read to be trained on is cut there, at the tensor that <see cref="GeneratorMetadata.Unclamped"/> names. Points are left alone.
/// </summary>
internal static class GeneratorPixels
{
    private const string Scope = "pixels";
    private const double Half = 127.5;

    /// <summary>Appends them, in place, and says so in the metadata.</summary>
    /// <exception cref="TeacherMismatchException">Bytes are asked for of samples that are no images.</exception>
    public static void Add(OnnxModel model, PixelForm form)
    {
        var graph = model.Graph;
        var output = graph.Outputs.Single();
        if (model.Metadata.GetValueOrDefault(GeneratorMetadata.Data, "image") != "image" || output.KnownShape is not { Rank: 4 })
        {
            if (form == PixelForm.Byte)
                throw new TeacherMismatchException($"Bytes are for images, Float32[N, C, H, W]; the generator gives {output}. Leave --pixels out.");
            model.Metadata[GeneratorMetadata.Range] = "free";
            return;
        }
        if (output.Producer is null)
            throw new TeacherMismatchException($"The generator's output {output} is made by no node, so it is no generator.");
        var (name, inner, taken) = (output.Name, output, Names(graph));
        inner.Name = "unclamped";
        for (var i = 2; taken.Contains(inner.Name); i++)
            inner.Name = $"unclamped_{i}";
        graph.Outputs.Clear();
        var b = new GraphBuilder(graph);
        using (b.Scope(Scope))
            output = form == PixelForm.Float ? b.Clip(inner, -1, 1) : Bytes(b, inner);
        b.Output(name, output);
        model.Metadata[GeneratorMetadata.Unclamped] = inner.Name;
        model.Metadata[GeneratorMetadata.Range] = form == PixelForm.Float ? "-1..1" : "0..255";
        model.Metadata[GeneratorMetadata.Layout] = form == PixelForm.Float ? "nchw" : "nhwc";
    }

    /// <summary>Takes them off again, in place, with what <c>export</c> wrote about them; nothing happens to a file that has none.</summary>
    /// <exception cref="TeacherMismatchException">The tensor that the metadata name is not there.</exception>
    public static void Remove(OnnxModel model, string what)
    {
        foreach (var key in new[] { GeneratorMetadata.Range, GeneratorMetadata.Layout })
            model.Metadata.Remove(key);
        if (!model.Metadata.Remove(GeneratorMetadata.Unclamped, out var name))
            return;
        var (graph, output) = (model.Graph, model.Graph.Outputs.Single());
        var inner = graph.Nodes.SelectMany(static n => n.Outputs).OfType<Value>().FirstOrDefault(v => v.Name == name)
            ?? throw new TeacherMismatchException($"{what} has no tensor '{name}', which its metadata name as its samples before they are clamped. Export it again.");
        var dims = output.Shape;
        (inner.KnownShape, inner.Type) = (output.Type == ElementType.UInt8 ? new Shape([dims[0], dims[3], dims[1], dims[2]]) : dims, ElementType.Float32);
        graph.Outputs[0] = inner;
        DeadNodes.Remove(graph);
        inner.Name = output.Name;
    }

    /// <summary>Samples as floats [N, C, H, W] whatever form they are in.</summary>
    public static float[] Floats(TensorData samples)
    {
        if (samples.Type != ElementType.UInt8)
            return samples.As<float>().ToArray();
        var (count, height, width, channels) = ((int)samples.Dims[0], (int)samples.Dims[1], (int)samples.Dims[2], (int)samples.Dims[3]);
        var bytes = samples.As<byte>();
        var (floats, at) = (new float[samples.ElementCount], 0);
        for (var i = 0; i < count; i++)
            for (var c = 0; c < channels; c++)
                for (var place = 0; place < height * width; place++)
                    floats[at++] = (float)((bytes[(((i * height * width) + place) * channels) + c] / Half) - 1);
        return floats;
    }

    private static Value Bytes(GraphBuilder b, Value x)
    {
        var rounded = b.Round(b.Clip(b.Add(b.Mul(x, Half), Half), 0, 2 * Half));
        // Moved as bytes, a quarter of the floats.
        return b.Transpose(b.Cast(rounded, ElementType.UInt8), 0, 2, 3, 1);
    }

    private static HashSet<string> Names(OnnxGraph graph) => graph.Inputs.Concat(graph.Initializers).Concat(graph.Nodes.SelectMany(static n => n.Outputs).OfType<Value>())
        .Select(static v => v.Name).Concat(graph.Nodes.Select(static n => n.Name)).ToHashSet(StringComparer.Ordinal);
}
