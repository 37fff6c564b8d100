using OnnxDistill.Graph.Memory;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Recomputation;

/// <summary>What is run a second time, and where, when only some results of the forward pass are kept.</summary>
internal sealed class RecomputePlan
{
    private readonly ForwardPass _pass;
    private readonly Func<Value, bool> _keeps;
    private readonly Dictionary<Node, bool> _repeatable = [];

    private RecomputePlan(ForwardPass pass, Func<Value, bool> keeps) => (_pass, _keeps) = (pass, keeps);

    /// <summary>The steps: the graph's nodes in order, before each of the backward pass what it needs again.</summary>
    public List<WalkStep> Steps { get; } = [];

    /// <summary>The most bytes alive at once.</summary>
    public long Live { get; private set; }

    /// <summary>Work of the repeated nodes, in the units of <see cref="NodeWork"/>.</summary>
    public double Extra { get; private set; }

    /// <summary>Lays out the steps and walks them.</summary>
    /// <param name="pass">The graph.</param>
    /// <param name="keeps">Whether the bytes of that value of the forward pass are kept for the backward pass.</param>
    public static RecomputePlan Of(ForwardPass pass, Func<Value, bool> keeps)
    {
        var plan = new RecomputePlan(pass, keeps);
        plan.LayOut();
        plan.Live = MemoryWalk.Peak(pass.Graph, plan.Steps, plan.Source).Live;
        return plan;
    }

    /// <summary>Whether a step reads the repetition of a value.</summary>
    public (Value Value, bool Repeated) Source(WalkStep step, Value value) =>
        (value, (step.Repeated || !_pass.IsForward(step.Node)) && value.Producer is { } producer && Repeats(producer));

    private void LayOut()
    {
        var done = new HashSet<Node>();
        var needed = new SortedSet<(int Index, Node Node)>(Comparer<(int Index, Node)>.Create(static (a, b) => a.Index.CompareTo(b.Index)));
        foreach (var node in _pass.Graph.Nodes)
        {
            if (!_pass.IsForward(node))
            {
                needed.Clear();
                Collect(node, done, needed);
                foreach (var (_, again) in needed)
                {
                    Steps.Add(new WalkStep(again, Repeated: true));
                    Extra += NodeWork.Of(again);
                }
            }
            Steps.Add(new WalkStep(node));
        }
    }

    private void Collect(Node node, HashSet<Node> done, SortedSet<(int, Node)> needed)
    {
        var open = new Stack<Node>([node]);
        while (open.TryPop(out var next))
        {
            foreach (var producer in next.Inputs.Select(static v => v?.Producer).OfType<Node>().Where(p => Repeats(p) && done.Add(p)))
            {
                needed.Add((_pass.IndexOf(producer), producer));
                open.Push(producer);
            }
        }
    }

    // A view is repeated with what it shows; a node with several outputs as a whole.
    private bool Repeats(Node node)
    {
        if (_repeatable.TryGetValue(node, out var known))
            return known;
        var repeats = _pass.CanRepeat(node) && (Storage.IsView(node)
            ? Storage.Owner(node.Output) is { Producer: { } owner } && Repeats(owner)
            : !node.Outputs.OfType<Value>().Any(_keeps));
        return _repeatable[node] = repeats;
    }
}
