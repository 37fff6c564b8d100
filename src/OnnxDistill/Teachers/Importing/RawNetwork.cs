using OnnxDistill.Graph;
using OnnxDistill.Graph.Importing;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Normalization;

namespace OnnxDistill.Teachers.Importing;

/// <summary>A network as its exporter wrote it, read once and made ready to be placed in graphs: opset 18, float32.</summary>
internal sealed class RawNetwork
{
    private RawNetwork(string path, OnnxModel source)
    {
        (Path, Source) = (path, source);
        var converted = ModelPreparation.Convert(source);
        Graph = SinglePrecision.Convert(converted.Graph);
        LearnOutputs(converted);
    }

    /// <summary>Where it lies.</summary>
    public string Path { get; }

    /// <summary>The file's name, as messages have it.</summary>
    public string File => System.IO.Path.GetFileName(Path);

    /// <summary>As it was read.</summary>
    public OnnxModel Source { get; }

    /// <summary>As it is placed.</summary>
    public OnnxGraph Graph { get; }

    /// <summary>Reads a network.</summary>
    /// <param name="path">The file.</param>
    /// <param name="change">What is done to its graph first.</param>
    /// <exception cref="ModelFileException">The file is missing or damaged, or has weights that are no numbers.</exception>
    /// <exception cref="UnsupportedOpException">Operators cannot be differentiated or brought to opset 18; all are named.</exception>
    public static RawNetwork Read(string path, Action<OnnxGraph>? change = null)
    {
        var model = OnnxReader.Read(path);
        change?.Invoke(model.Graph);
        // Exported from a network in training mode, it would deny as a teacher what it knows, at random; training graphs drop by masks of their own.
        DropoutNodes.ToInference(model.Graph);
        // Before anything runs: all operators that have no gradient, by the names of the file.
        RawCoverage.Of(model).ThrowIfIncomplete();
        RefuseBrokenWeights(model.Graph, path);
        return new RawNetwork(path, model);
    }

    // Exporters lose an output's extents behind some reshapes; whether it has the sample's channels or twice as many is told by them.
    private static void LearnOutputs(OnnxModel model)
    {
        static bool IsKnown(Value output) => output.KnownShape is { } shape && shape.Skip(1).All(static d => d.IsKnown);
        if (model.Graph.Outputs.TrueForAll(IsKnown))
            return;
        // With a number for the batch every size that is computed folds.
        var folded = ModelNormalizer.Normalize(model, new NormalizeOptions { Batch = 2 });
        foreach (var output in model.Graph.Outputs.Where(static o => !IsKnown(o)))
            output.KnownShape = folded.Graph.Output(output.Name).KnownShape?.With(0, Dim.Named("N"));
    }

    private static void RefuseBrokenWeights(OnnxGraph graph, string path)
    {
        var broken = graph.Initializers.Where(static i => i.Type.IsFloating() && i.Constant is { } data && IsBroken(data.ToDoubles())).Select(static i => i.Name).ToList();
        if (broken.Count > 0)
        {
            throw new ModelFileException($"'{path}' has {broken.Count} weight(s) with NaN or infinite numbers: {string.Join(", ", broken.Take(8))}{(broken.Count > 8 ? ", ..." : "")}. "
                + "The training that made it diverged, or the file is damaged; export an earlier checkpoint.");
        }
    }

    // A mask of attention consists of zeros (or ones) and minus infinity: that is no fault.
    private static bool IsBroken(double[] numbers) => Array.Exists(numbers, double.IsNaN)
        || (Array.Exists(numbers, double.IsInfinity) && Array.Exists(numbers, static n => double.IsFinite(n) && n is not (0 or 1)));
}
