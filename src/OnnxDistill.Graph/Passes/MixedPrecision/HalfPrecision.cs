using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.MixedPrecision;

/// <summary>How float16 is written.</summary>
public enum HalfForm
{
    /// <summary>Nodes on float16 values, between casts: for devices with kernels for them.</summary>
    Float16,
    /// <summary>Nodes on float32 values, each result rounded to float16 by a pair of casts: the same numbers (products gather in float32 on both
    /// sides) without kernels for them. ONNX Runtime's CPU provider would run <see cref="Float16"/> too, but drops the casts between nodes that it
    /// has no float16 kernel for, and with them the rounding and the overflows (seen in 1.31.1).</summary>
    Rounded,
}

/// <summary>
/// before: MatMul(x, w) → after: Cast(MatMul(Cast(x → float16), Cast(w → float16)) → float32). Products run in float16, and between them what is
/// listed in <see cref="HalfOperators"/>; everything else, all inputs and all outputs stay float32. Each value is cast at most once each way.
/// </summary>
/// <remarks>Runs on the finished graph, forward and backward together, so that the gradient of a product is a product in float16 as well
/// and its loss has to be scaled (Micikevicius et al. 2018, arXiv 1710.03740). The lists are those that automatic mixed precision has come to.</remarks>
public sealed class HalfPrecision : IGraphPass
{
    private readonly Func<Node, bool> _mayBeHalf;
    private readonly HalfForm _form;

    /// <summary>A pass over those nodes.</summary>
    /// <param name="mayBeHalf">Tells the nodes that may run in float16: those inside networks. What is between them, a loss, stays float32.</param>
    /// <param name="form">How float16 is written.</param>
    public HalfPrecision(Func<Node, bool> mayBeHalf, HalfForm form = HalfForm.Float16) => (_mayBeHalf, _form) = (mayBeHalf, form);

    /// <inheritdoc/>
    public string Name => "half precision";

    /// <inheritdoc/>
    public int Run(OnnxGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var plan = new HalfPlan(graph, _mayBeHalf);
        if (plan.Nodes.Count == 0)
            return 0;
        var wantedIn32 = graph.Nodes.Where(n => !plan.Nodes.Contains(n)).SelectMany(n => n.Inputs).OfType<Value>().Concat(graph.Outputs).ToHashSet();
        var nodes = graph.Nodes.ToArray();
        var builder = new GraphBuilder(graph);
        var halves = new Dictionary<Value, Value>();
        graph.Nodes.Clear();
        foreach (var node in nodes)
        {
            for (var i = 0; i < node.Inputs.Length && plan.Nodes.Contains(node); i++)
            {
                if (node.Inputs[i] is { Type: ElementType.Float32 } operand)
                    node.Inputs[i] = Half(builder, operand, halves);
            }
            graph.Nodes.Add(node);
            for (var i = 0; i < node.Outputs.Length && plan.Nodes.Contains(node); i++)
            {
                if (node.Outputs[i] is { Type: ElementType.Float32 } output)
                    halves[output] = Result(builder, node, i, wantedIn32.Contains(output));
            }
        }
        DeadNodes.Remove(graph);
        return plan.Nodes.Count;
    }

    // The float32 value keeps its name and its users; only its producer is another.
    private Value Result(GraphBuilder builder, Node node, int index, bool wantedIn32)
    {
        var output = node.Outputs[index]!; // the caller has looked
        if (_form == HalfForm.Rounded && HalfOperators.KeepNumbers(node.OpType))
            return output;
        var type = _form == HalfForm.Float16 ? ElementType.Float16 : ElementType.Float32;
        var result = new Value(builder.Reserve($"{output.Name}:{(_form == HalfForm.Float16 ? "f16" : "exact")}"), type, output.KnownShape) { Producer = node };
        node.Outputs[index] = result;
        output.Producer = null;
        if (_form == HalfForm.Rounded)
            return Cast(builder, Cast(builder, result, Named(builder, output, "f16", ElementType.Float16)), output);
        if (wantedIn32)
            Cast(builder, result, output);
        return result;
    }

    private Value Half(GraphBuilder builder, Value value, Dictionary<Value, Value> halves)
    {
        if (halves.TryGetValue(value, out var half))
            return half;
        if (value.Constant is { } data)
        {
            var rounded = data.ToFloat16();
            return halves[value] = builder.Initializer(builder.Unique($"{value.Name}:f16"), _form == HalfForm.Float16 ? rounded : rounded.ToFloat32());
        }
        half = Cast(builder, value, Named(builder, value, "f16", ElementType.Float16));
        return halves[value] = _form == HalfForm.Float16 ? half : Cast(builder, half, Named(builder, value, "rounded", ElementType.Float32));
    }

    private static Value Named(GraphBuilder builder, Value value, string suffix, ElementType type) =>
        new(builder.Reserve($"{value.Name}:{suffix}"), type, value.KnownShape);

    // A node of the value's own path, so that viewers and profilers show it where it belongs.
    private static Value Cast(GraphBuilder builder, Value from, Value to)
    {
        builder.Graph.Nodes.Add(new Node("Cast", [from], [to], new AttributeMap(("to", to.Type)), builder.Reserve($"{to.Name}/Cast")));
        return to;
    }
}
