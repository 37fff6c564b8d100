using System.Globalization;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes.Inlining;

namespace OnnxDistill.Graph.Passes.Unrolling;

/// <summary>Replaces the constant If, Loop and Scan nodes of a graph, nested ones too, by what they do.</summary>
internal sealed class Unroller
{
    private readonly NameSource _names;
    private readonly OpsetForms _forms;
    private readonly OnnxGraph _graph;
    private readonly Dictionary<string, Value> _values = new(StringComparer.Ordinal);
    private bool _changed;

    /// <summary>An unroller of that graph, which is of that opset.</summary>
    public Unroller(OnnxGraph graph, long opset)
    {
        _graph = graph;
        _names = new NameSource(graph);
        _forms = new OpsetForms(graph, _names, opset);
    }

    /// <summary>Replaces them in place.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Run()
    {
        foreach (var value in _graph.Inputs.Concat(_graph.Initializers))
            _values[value.Name] = value;
        var nodes = _graph.Nodes.ToList();
        _graph.Nodes.Clear();
        foreach (var node in nodes)
            Place(node);
        return _changed;
    }

    private void Place(Node node)
    {
        if (!ControlFlow.Is(node) || ControlFlow.WhyNot(node) is not null)
        {
            Add(node);
            return;
        }
        _changed = true;
        switch (node.OpType)
        {
            case "If":
                Branch(node);
                break;
            case "Loop":
                Loop(node);
                break;
            default:
                Scan(node);
                break;
        }
    }

    private void Add(Node node)
    {
        _graph.Nodes.Add(node);
        foreach (var output in node.Outputs.OfType<Value>())
            _values[output.Name] = output;
    }

    private void Branch(Node node)
    {
        var taken = Constants.Truth(node.Input(0)) == true ? "then_branch" : "else_branch"; // WhyNot has seen to it
        var body = (OnnxGraph)node.Attributes.Single(a => a.Key == taken).Value;
        Deliver(Body(body, [], Scope(node)), node.Outputs);
    }

    private void Loop(Node node)
    {
        var plan = LoopPlan.Of(node);
        var carried = node.Inputs.Skip(2).ToArray();
        var collected = new List<Value>[plan.Body.Outputs.Count - 1 - carried.Length];
        for (var i = 0; i < collected.Length; i++)
            collected[i] = [];
        var going = plan.Turns > 0 ? _forms.Constant($"{Scope(node)}/going", TensorData.Of([true], [])) : null;
        for (var turn = 0L; turn < plan.Turns; turn++)
        {
            var scope = Turn(node, turn);
            Value?[] inputs = [_forms.Constant($"{scope}/turn", TensorData.Of([turn], [])), going, .. carried];
            var results = Body(plan.Body, inputs, scope);
            for (var i = 0; i < carried.Length; i++)
                carried[i] = results[i + 1];
            for (var i = 0; i < collected.Length; i++)
                collected[i].Add(results[i + 1 + carried.Length]);
        }
        Deliver([.. carried], node.Outputs);
        Join(node, collected, carried.Length, static _ => 0, static _ => false);
    }

    private void Scan(Node node)
    {
        var plan = ScanPlan.Of(node);
        var states = node.Inputs.Take(plan.States).ToArray();
        var collected = new List<Value>[plan.Body.Outputs.Count - plan.States];
        for (var i = 0; i < collected.Length; i++)
            collected[i] = [];
        for (var turn = 0L; turn < plan.Length; turn++)
        {
            var scope = Turn(node, turn);
            var slices = plan.InputAxes.Select((axis, i) =>
            {
                var at = ScanPlan.Setting(node, "scan_input_directions", i) == 0 ? turn : plan.Length - 1 - turn;
                return _forms.Take(node.Input(plan.States + i), axis, at, $"{scope}/slice_{i}");
            });
            var results = Body(plan.Body, [.. states, .. slices], scope);
            for (var i = 0; i < states.Length; i++)
                states[i] = results[i];
            for (var i = 0; i < collected.Length; i++)
                collected[i].Add(results[i + states.Length]);
        }
        Deliver(states, node.Outputs);
        Join(node, collected, states.Length, i => ScanPlan.Setting(node, "scan_output_axes", i),
            i => ScanPlan.Setting(node, "scan_output_directions", i) != 0);
    }

    /// <summary>Lays what each turn gave side by side along a new axis.</summary>
    private void Join(Node node, List<Value>[] collected, int first, Func<int, long> axis, Func<int, bool> backwards)
    {
        for (var i = 0; i < collected.Length && first + i < node.Outputs.Length; i++)
        {
            if (node.Outputs[first + i] is not { } output)
                continue;
            if (backwards(i))
                collected[i].Reverse();
            _forms.Stack(collected[i], axis(i), output);
            _values[output.Name] = output;
        }
    }

    /// <summary>Puts the body's nodes with these inputs into the graph; its results.</summary>
    private Value[] Body(OnnxGraph body, Value?[] inputs, string scope)
    {
        var values = body.Inputs.Zip(inputs).ToDictionary(static p => p.First.Name, static p => p.Second, StringComparer.Ordinal);
        var copier = new NodeCopier(_names, scope, values, around: _values);
        _graph.Initializers.AddRange(body.Initializers.Select(copier.Define));
        foreach (var node in body.Nodes)
            Place(copier.Copy(node));
        return [.. body.Outputs.Select(o => copier.Use(o) ?? throw new InvalidOperationException($"'{o.Name}' of '{body.Name}' is left out."))];
    }

    private void Deliver(Value?[] results, Value?[] outputs)
    {
        foreach (var (result, output) in results.Zip(outputs))
        {
            if (output is not null && result is not null)
                Add(new Node("Identity", [result], [output], null, output.Name));
        }
    }

    private static string Scope(Node node) => node.Name.Length > 0 ? node.Name : node.Outputs.OfType<Value>().First().Name;

    private static string Turn(Node node, long turn) => $"{Scope(node)}/{turn.ToString(CultureInfo.InvariantCulture)}";
}
