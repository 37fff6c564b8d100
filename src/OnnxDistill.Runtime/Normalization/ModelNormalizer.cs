using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Runtime.Normalization;

/// <summary>Lets ONNX Runtime fold an imported graph and tell every value's type and shape, with the weights kept out of its reach.</summary>
/// <remarks>Left alone, ONNX Runtime also fuses and renames weights (Conv with BatchNorm, transposed Gemm weights). So each weight is declared a
/// graph input while it works, and gets its bytes back afterwards. See design.md decision 4.</remarks>
public static class ModelNormalizer
{
    /// <summary>Before this version of the file format every initializer had to be an input too.</summary>
    private const long LeastIrVersion = 4;

    /// <summary>Before this opset ONNX Runtime knows no shape of a Dropout's mask, so such nodes cannot stay.</summary>
    private const long LeastDropoutOpset = 12;

    /// <summary>A new model in which chains of Shape, Gather, Concat and the like are constants, functions, branches and loops of constant length are gone, every
    /// value has a type and a shape, weights have their original names and bytes, and the inputs are the user's inputs only. Dropout nodes stay (from
    /// opset 12 on): they tell where a network that is trained drops.</summary>
    /// <param name="model">The model as read; it is not changed.</param>
    /// <param name="options">Shapes to write in; by default the batch stays a symbol.</param>
    /// <exception cref="ArgumentException">The shapes asked for do not fit the model.</exception>
    /// <exception cref="ModelFileException">ONNX Runtime does not accept the model.</exception>
    /// <exception cref="UnsupportedOpException">The model has operators that ONNX Runtime does not know, or shapes that depend on data.</exception>
    /// <exception cref="RuntimeUnavailableException">ONNX Runtime is missing.</exception>
    public static OnnxModel Normalize(OnnxModel model, NormalizeOptions? options = null)
    {
        options ??= new NormalizeOptions();
        var inputs = InputShapes.Resolve(model.Graph, options);
        var weights = WeightFinder.Find(model.Graph, options);
        var folded = Folded(WithWeightsAsInputs(model, inputs, weights));
        // ONNX Runtime writes operators that the standard defines as functions out after it has folded: what they compute from shapes folds now.
        if (folded.Graph.Nodes.Exists(static n => n.OpType is "Shape" or "Size"))
            folded = Folded(folded);
        // Folding makes trip counts and conditions constant; without the loops, more folds and more shapes are known.
        while (ControlFlow.Unroll(folded))
            folded = Folded(folded);
        ShapeProbe.Learn(folded);
        // What a Scan runs over, or a sequence is split from, has a length only now.
        if (ControlFlow.Unroll(folded))
        {
            folded = Folded(folded);
            ShapeProbe.Learn(folded);
        }
        return WithWeightsBack(model, folded, weights);
    }

    private static OnnxModel WithWeightsAsInputs(OnnxModel model, List<Value> inputs, WeightSet weights)
    {
        var graph = new OnnxGraph { Name = model.Graph.Name };
        var names = weights.Values.Select(w => w.Name).ToHashSet(StringComparer.Ordinal);
        graph.Inputs.AddRange(inputs);
        graph.Inputs.AddRange(weights.Values.Select(w => new Value(w.Name, w.Data.Type, w.Data.Shape)));
        graph.Initializers.AddRange(model.Graph.Initializers.Where(v => !names.Contains(v.Name)));
        graph.Nodes.AddRange(MeanVarianceLowering.Lower(MissingScale.Add(model.Graph.Nodes.Where(n => !weights.Nodes.Contains(n))), model.Opset));
        // What the file says of the outputs is for the file's batch: forgotten wherever another shape may result.
        var unchanged = inputs.Zip(model.Graph.Inputs).All(p => Equals(p.First.KnownShape, p.Second.KnownShape));
        graph.Outputs.AddRange(model.Graph.Outputs.Select(v => new Value(v.Name, v.Type, unchanged ? v.KnownShape : null)));
        return Like(model, graph, model.Opsets, model.Functions);
    }

    private static OnnxModel Folded(OnnxModel model)
    {
        using var folder = new PrivateFolder();
        var path = folder.File("folded.onnx");
        var options = new DeviceOptions { Threads = 1, Optimization = GraphOptimization.Basic, OptimizedModelPath = path, KeepDropout = model.Opset >= LeastDropoutOpset };
        using (GraphSession.Create(model, options, $"the model '{model.Graph.Name}'"))
        {
            // Bytes of our own, because the folder goes before they are used.
            return OnnxReader.Read(File.ReadAllBytes(path), what: $"The normalised model '{model.Graph.Name}'");
        }
    }

    private static OnnxModel WithWeightsBack(OnnxModel original, OnnxModel folded, WeightSet weights)
    {
        var graph = folded.Graph;
        var used = UsedNames.Of(graph);
        var declared = graph.Inputs.ToDictionary(v => v.Name, StringComparer.Ordinal);
        foreach (var (name, data) in weights.Values)
        {
            declared[name].Constant = data;
            graph.Inputs.Remove(declared[name]);
        }
        var restored = weights.Values.Where(w => used.Contains(w.Name)).Select(w => declared[w.Name]);
        graph.Initializers.InsertRange(0, restored);
        var domains = UsedNames.DomainsOf(graph);
        return Like(original, graph, folded.Opsets.Where(o => o.Key.Length == 0 || domains.Contains(o.Key)), folded.Functions);
    }

    private static OnnxModel Like(OnnxModel source, OnnxGraph graph, IEnumerable<KeyValuePair<string, long>> opsets, IEnumerable<OnnxFunction> functions)
    {
        var model = source.With(graph);
        model.IrVersion = Math.Max(source.IrVersion, LeastIrVersion);
        // Both may be the source's own, which With has copied: read before they are cleared.
        var (kept, bodies) = (opsets.ToList(), functions.ToList());
        model.Opsets.Clear();
        foreach (var (domain, version) in kept)
            model.Opsets[domain] = version;
        model.Functions.Clear();
        model.Functions.AddRange(bodies);
        return model;
    }
}
