using OnnxDistill.Graph;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Verification;

/// <summary>The vector-Jacobian product of a model at a point.</summary>
/// <param name="Gradients">The gradient of sum(cotangent * output) with respect to each floating input and weight, by name, in the order of
/// inputs, then initializers; zeros where nothing depends on it.</param>
/// <param name="Outputs">The floating outputs at that point, by name.</param>
/// <param name="Nodes">Nodes of the normalised graph.</param>
/// <param name="GradientNodes">Nodes of the graph with its gradients.</param>
public sealed record VectorJacobianResult(OrderedDictionary<string, TensorData> Gradients, OrderedDictionary<string, TensorData> Outputs, int Nodes,
    int GradientNodes);

/// <summary>Gradients of any ONNX model with numbers for its inputs and cotangents for its outputs: for cross-checks with other frameworks.</summary>
public static class VectorJacobianProduct
{
    /// <summary>Differentiates the model and runs it.</summary>
    /// <param name="model">A model of opset 7 to 25 in float32 or float64; it is not changed.</param>
    /// <param name="feeds">A tensor for every input.</param>
    /// <param name="cotangents">Tensors by output name; an output left out counts as zero.</param>
    /// <param name="device">Where it runs; the CPU when null.</param>
    /// <exception cref="ArgumentException">Feeds or cotangents do not fit the model; all faults at once.</exception>
    /// <exception cref="UnsupportedOpException">The model cannot be converted or differentiated, or computes in half precision.</exception>
    public static VectorJacobianResult Run(OnnxModel model, IReadOnlyDictionary<string, TensorData> feeds,
        IReadOnlyDictionary<string, TensorData> cotangents, DeviceOptions? device = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        CheckFeeds(model.Graph, feeds);
        var prepared = CheckedModel.Prepare(model, feeds, new GradientCheckOptions());
        RefuseHalves(prepared);
        using var program = new GradientProgram(prepared.Graph, prepared.Weights, device ?? new DeviceOptions());
        CheckCotangents(program, prepared.Graph, cotangents);

        var point = new Dictionary<string, TensorData>(feeds, StringComparer.Ordinal);
        foreach (var weight in prepared.Graph.Initializers.Where(i => prepared.Weights.Contains(i.Name)))
            point[weight.Name] = weight.Constant!; // an initializer has its data
        var seeds = program.Outputs.ToDictionary(o => GradientProgram.CotangentOf(o.Name), o => cotangents.GetValueOrDefault(o.Name) ?? Zeros(o.Type, o.Shape.Sizes()));
        var found = program.Gradients(point, seeds);
        var forward = program.Forward(point);
        return new VectorJacobianResult(
            new(program.Variables.Select(v => KeyValuePair.Create(v, found.GetValueOrDefault(v) ?? Zeros(point[v].Type, point[v].Dims)))),
            new(program.Outputs.Select(o => KeyValuePair.Create(o.Name, forward[o.Name]))),
            prepared.Graph.Nodes.Count, program.GradientModel.Graph.Nodes.Count);
    }

    private static void CheckFeeds(OnnxGraph graph, IReadOnlyDictionary<string, TensorData> feeds)
    {
        var faults = new List<string>();
        foreach (var input in graph.Inputs)
        {
            if (!feeds.TryGetValue(input.Name, out var tensor))
                faults.Add($"the input {input} is missing");
            else if (tensor.Type != input.Type)
                faults.Add($"the input '{input.Name}' has elements of {tensor.Type}, expected {input.Type}");
            else if (input.KnownShape is { } shape && !Fits(shape, tensor.Dims))
                faults.Add($"the input '{input.Name}' has the shape {tensor.Shape}, expected {shape}");
        }
        foreach (var name in feeds.Keys.Where(n => !graph.Inputs.Exists(i => i.Name == n)))
            faults.Add($"there is no input '{name}'; there are {string.Join(", ", graph.Inputs.Select(i => i.Name))}");
        Throw(faults, $"The feeds do not fit the model '{graph.Name}'");
    }

    private static void CheckCotangents(GradientProgram program, OnnxGraph graph, IReadOnlyDictionary<string, TensorData> cotangents)
    {
        var faults = new List<string>();
        if (cotangents.Count == 0)
            faults.Add("there is none");
        foreach (var (name, tensor) in cotangents)
        {
            if (program.Outputs.FirstOrDefault(o => o.Name == name) is { } output)
            {
                if (tensor.Type != output.Type || !tensor.Shape.Equals(output.Shape))
                    faults.Add($"that of '{name}' is {tensor.Type}{tensor.Shape}, expected {output.Type}{output.Shape}");
            }
            else
            {
                faults.Add(graph.Outputs.Exists(o => o.Name == name) ? $"the output '{name}' is not of floating-point numbers"
                    : $"there is no output '{name}'; there are {string.Join(", ", program.Outputs.Select(o => o.Name))}");
            }
        }
        Throw(faults, $"The cotangents do not fit the model '{graph.Name}'");
    }

    private static void RefuseHalves(CheckedModel model)
    {
        var halves = model.Graph.Inputs.Concat(model.Graph.Initializers).Concat(model.Graph.Nodes.SelectMany(static n => n.Outputs).OfType<Value>())
            .Where(static v => v.Type is ElementType.Float16 or ElementType.BFloat16).ToList();
        if (halves.Count > 0)
        {
            throw new UnsupportedOpException($"Gradients are computed in float32 or float64, but {halves.Count} values of the model '{model.Graph.Name}' are in half "
                + $"precision: {string.Join(", ", halves.Take(3))}{(halves.Count > 3 ? ", ..." : "")}. Export the model in float32.");
        }
    }

    private static bool Fits(Shape shape, long[] dims) => shape.Rank == dims.Length && shape.Zip(dims).All(static p => !p.First.IsKnown || p.First.Size == p.Second);

    private static TensorData Zeros(ElementType type, long[] dims) =>
        new(type, dims, new byte[checked(type.Size() * dims.Aggregate(1L, static (a, b) => checked(a * b)))]);

    private static void Throw(List<string> faults, string what)
    {
        if (faults.Count > 0)
            throw new ArgumentException($"{what}: {string.Join("; ", faults)}.");
    }
}
