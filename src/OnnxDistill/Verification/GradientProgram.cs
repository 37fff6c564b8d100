using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Verification;

/// <summary>
/// A graph beside its gradient, ready to run: the scalar is sum(cotangent * output) over all floating outputs, the gradients are those
/// with respect to every floating input and the named weights. Holds two sessions; whoever creates it disposes of it.
/// </summary>
internal sealed class GradientProgram : IDisposable
{
    private const string CotangentPath = "cotangent/", GradientPath = "gradient/";

    private readonly GraphSession _forward;
    private readonly GraphSession? _backward;

    /// <summary>Builds and loads both graphs.</summary>
    /// <param name="graph">Opset 18 with every shape known; it is not changed.</param>
    /// <param name="weights">Initializers that become inputs.</param>
    /// <param name="device">Where and how it runs.</param>
    /// <param name="target">What kind of device the gradient's forms are chosen for.</param>
    /// <exception cref="Graph.UnsupportedOpException">Operators cannot be differentiated; all are named.</exception>
    public GradientProgram(OnnxGraph graph, IReadOnlyCollection<string> weights, DeviceOptions device, GradientTarget target = GradientTarget.Cpu)
    {
        Outputs = [.. graph.Outputs.Where(o => o.Type.IsFloating())];
        IsDouble = graph.Inputs.Concat(graph.Nodes.SelectMany(n => n.Outputs)).OfType<Value>().All(v => v.Type == ElementType.Float64 || !v.Type.IsFloating());

        var forward = new GraphBuilder(graph.Name);
        foreach (var (name, value) in Outputs.Select(o => o.Name).Zip(Inline(forward, graph, weights).Outputs))
            forward.Output(name, value);
        (GradientModel, Variables) = Differentiate(graph, weights, target);
        _forward = GraphSession.Create(new OnnxModel(forward.Graph), device);
        try
        {
            _backward = GradientModel.Graph.Outputs.Count == 0 ? null : GraphSession.Create(GradientModel, device);
        }
        catch
        {
            _forward.Dispose();
            throw;
        }
    }

    /// <summary>The floating outputs; each has a cotangent.</summary>
    public IReadOnlyList<Value> Outputs { get; }

    /// <summary>Names of the floating inputs and the weights.</summary>
    public IReadOnlyList<string> Variables { get; }

    /// <summary>Whether everything is computed in float64.</summary>
    public bool IsDouble { get; }

    /// <summary>Inputs, weights and cotangents in, gradients out: a graph that can be differentiated again.</summary>
    public OnnxModel GradientModel { get; }

    /// <summary>Name of the input that is the cotangent of an output.</summary>
    public static string CotangentOf(string output) => CotangentPath + output;

    /// <summary>Name of the output that is the gradient of a variable.</summary>
    public static string GradientOf(string variable) => GradientPath + variable;

    /// <summary>The floating outputs by name.</summary>
    public IReadOnlyDictionary<string, TensorData> Forward(IReadOnlyDictionary<string, TensorData> point) => _forward.Run(point);

    /// <summary>sum(cotangent * output), summed in float64 outside the graph so that the sum adds no rounding.</summary>
    public double Scalar(IReadOnlyDictionary<string, TensorData> point, IReadOnlyDictionary<string, TensorData> cotangents) => Terms(point, cotangents).Sum();

    /// <summary>By how much rounding blurs <see cref="Scalar"/>: each output is off by half a unit in its last place, in either direction.</summary>
    public double Rounding(IReadOnlyDictionary<string, TensorData> point, IReadOnlyDictionary<string, TensorData> cotangents) =>
        Math.ScaleB(1, IsDouble ? -53 : -24) * Math.Sqrt(Terms(point, cotangents).Sum(static t => t * t));

    /// <summary>The gradients of <see cref="Scalar"/> by variable; one left out is zero by the graph's structure.</summary>
    public IReadOnlyDictionary<string, TensorData> Gradients(IReadOnlyDictionary<string, TensorData> point, IReadOnlyDictionary<string, TensorData> cotangents) =>
        _backward is null ? new Dictionary<string, TensorData>()
        : _backward.Run(point.Concat(cotangents).ToDictionary()).ToDictionary(r => r.Key[GradientPath.Length..], r => r.Value);

    /// <inheritdoc/>
    public void Dispose()
    {
        _forward.Dispose();
        _backward?.Dispose();
    }

    private IEnumerable<double> Terms(IReadOnlyDictionary<string, TensorData> point, IReadOnlyDictionary<string, TensorData> cotangents)
    {
        var results = _forward.Run(point);
        return Outputs.SelectMany(o => results[o.Name].ToDoubles().Zip(cotangents[CotangentOf(o.Name)].ToDoubles(), static (y, c) => y * c));
    }

    private (OnnxModel Model, IReadOnlyList<string> Variables) Differentiate(OnnxGraph graph, IReadOnlyCollection<string> weights, GradientTarget target)
    {
        var builder = new GraphBuilder($"{graph.Name} gradient");
        var (variables, outputs) = Inline(builder, graph, weights);
        var seeds = outputs.Zip(Outputs, (value, o) => (value, builder.Input(CotangentOf(o.Name), o.Type, o.Shape))).ToList();
        var gradients = Differentiator.VectorJacobian(builder, seeds, variables, target);
        for (var i = 0; i < variables.Count; i++)
        {
            if (gradients[i] is { } gradient)
                builder.Output(GradientOf(variables[i].Name), gradient);
        }
        PassPipeline.Differentiable.Run(builder.Graph);
        return (new OnnxModel(builder.Graph), [.. variables.Select(v => v.Name)]);
    }

    private (IReadOnlyList<Value> Variables, IReadOnlyList<Value> Outputs) Inline(GraphBuilder builder, OnnxGraph graph, IReadOnlyCollection<string> weights)
    {
        var bound = graph.Inputs.Concat(graph.Initializers.Where(i => weights.Contains(i.Name)))
            .ToDictionary(v => v.Name, v => builder.Input(v.Name, v.Type, v.Shape), StringComparer.Ordinal);
        var variables = builder.Graph.Inputs.Where(v => v.Type.IsFloating()).ToList();
        var outputs = builder.Inline(graph, "model", bound);
        return (variables, [.. Outputs.Select(o => outputs[graph.Outputs.IndexOf(o)])]);
    }
}
