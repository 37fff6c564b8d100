using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.MixedPrecision;

/// <summary>Decides which nodes of a graph run in float16.</summary>
internal sealed class HalfPlan
{
    private const double Largest = 65504, SmallestNormal = 6.103515625e-5;

    private readonly HashSet<Node> _nodes = [];
    private readonly HashSet<Value> _values = [];
    private readonly Dictionary<(Value, bool), bool> _constants = [];

    public HalfPlan(OnnxGraph graph, Func<Node, bool> mayBeHalf)
    {
        var eligible = graph.Nodes.Where(n => n.Domain.Length == 0 && !n.Outputs.Any(o => o is { Type: ElementType.Float64 or ElementType.BFloat16 or ElementType.Float16 }))
            .Where(mayBeHalf).ToHashSet();
        foreach (var node in graph.Nodes.Where(eligible.Contains))
        {
            if (HalfOperators.Products.Contains(node.OpType) ? Operands(node).All(v => v.Constant is null || Fits(v, exactly: false)) : Follows(node))
                Take(node);
        }
        PullDown(graph, eligible);
    }

    /// <summary>The nodes.</summary>
    public IReadOnlySet<Node> Nodes => _nodes;

    /// <summary>The float32 operands, of which a node in float16 wants float16 copies.</summary>
    public static IEnumerable<Value> Operands(Node node) => node.Inputs.OfType<Value>().Where(v => v.Type == ElementType.Float32);

    private bool Follows(Node node)
    {
        if (!HalfOperators.Followers.Contains(node.OpType) && !HalfOperators.Movers.Contains(node.OpType))
            return false;
        var operands = Operands(node).ToList();
        // Constants of a formula join in only when rounding keeps what they mean: a mask of -1e9 or an epsilon of 1e-8 would not survive.
        return operands.Exists(_values.Contains) && operands.TrueForAll(v => _values.Contains(v) || (v.Constant is not null && Fits(v, exactly: true)));
    }

    private void Take(Node node)
    {
        _nodes.Add(node);
        _values.UnionWith(node.Outputs.OfType<Value>().Where(v => v.Type == ElementType.Float32));
    }

    private void PullDown(OnnxGraph graph, HashSet<Node> eligible)
    {
        var outputs = graph.Outputs.ToHashSet();
        var users = graph.Nodes.SelectMany(n => n.Inputs.OfType<Value>().Distinct().Select(v => (v, n))).ToLookup(p => p.v, p => p.n);
        foreach (var node in graph.Nodes.AsEnumerable().Reverse())
        {
            if (!_nodes.Contains(node) && eligible.Contains(node) && HalfOperators.Movers.Contains(node.OpType) && Operands(node).All(v => v.Constant is null || Fits(v, exactly: true))
                && node.Outputs.OfType<Value>().All(o => o.Type == ElementType.Float32 && !outputs.Contains(o) && users[o].Any() && users[o].All(_nodes.Contains)))
                Take(node);
        }
    }

    private bool Fits(Value value, bool exactly) =>
        _constants.TryGetValue((value, exactly), out var known) ? known : _constants[(value, exactly)] = Range(value.Constant!.As<float>(), exactly);

    // Small weights may round to zero, as they do when PyTorch casts them; numbers of a formula may not.
    private static bool Range(ReadOnlySpan<float> numbers, bool exactly)
    {
        foreach (var number in numbers)
        {
            if (!(Math.Abs(number) <= Largest) || (exactly && number != 0 && Math.Abs(number) < SmallestNormal))
                return false;
        }
        return true;
    }
}
