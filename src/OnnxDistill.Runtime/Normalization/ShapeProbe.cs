using OnnxDistill.Graph;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Runtime.Normalization;

/// <summary>Learns every value's type and shape: a session whose outputs are all of a graph's values has to say what they are.</summary>
internal static class ShapeProbe
{
    private static readonly DeviceOptions Unoptimised = new() { Threads = 1, Optimization = GraphOptimization.None };

    /// <summary>Puts type and shape on everything that the nodes of the model produce.</summary>
    /// <exception cref="UnsupportedOpException">Of some tensors not even the rank is known; lists all of them.</exception>
    public static void Learn(OnnxModel model)
    {
        var values = model.Graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().ToList();
        if (values.Count == 0)
            return; // all of it folded to constants, and ONNX Runtime takes no graph without a value
        var ports = Outputs(model, [], values.ConvertAll(v => new Value(v.Name, v.Type, v.KnownShape)));
        foreach (var value in values)
            (value.Type, value.KnownShape) = (ports[value.Name].Type, ports[value.Name].Shape);
        // What is no tensor (a sequence, an optional) has no element type either, and is for the coverage report to refuse.
        var unknown = OfUnknownRank(model, values.FindAll(v => v.Type != ElementType.Undefined && v.Shape.Rank == 0));
        if (unknown.Count > 0)
        {
            throw new UnsupportedOpException($"The shapes of {unknown.Count} values of the model '{model.Graph.Name}' depend on data or on symbols, so "
                + $"that not even their rank is known: {string.Join(", ", unknown.Select(v => $"'{v.Name}' made by {v.Producer}"))}. Give fixed input "
                + "shapes, or export the model without data-dependent shapes.");
        }
    }

    // ONNX Runtime's metadata show rank 0 for scalars and for unknown ranks alike. The output of a Shape node tells them apart: its one extent is
    // the rank, known or not.
    private static List<Value> OfUnknownRank(OnnxModel model, List<Value> values)
    {
        if (values.Count == 0)
            return [];
        var shapes = values.ConvertAll(v => new Node("Shape", [v], [new Value($"rank of {v.Name}")]));
        var ports = Outputs(model, shapes, shapes.ConvertAll(n => n.Output));
        return values.FindAll(v => ports[$"rank of {v.Name}"].Shape is not { Rank: 1, IsStatic: true });
    }

    private static Dictionary<string, Port> Outputs(OnnxModel model, List<Node> more, List<Value> outputs)
    {
        var graph = new OnnxGraph { Name = model.Graph.Name };
        graph.Inputs.AddRange(model.Graph.Inputs);
        graph.Initializers.AddRange(model.Graph.Initializers);
        graph.Nodes.AddRange(model.Graph.Nodes);
        graph.Nodes.AddRange(more);
        graph.Outputs.AddRange(outputs);
        var probe = new OnnxModel(graph) { IrVersion = model.IrVersion };
        foreach (var (domain, version) in model.Opsets)
            probe.Opsets[domain] = version;
        probe.Functions.AddRange(model.Functions);
        using var session = GraphSession.Create(probe, Unoptimised, $"the normalised model '{graph.Name}'");
        return session.Outputs.ToDictionary(p => p.Name, StringComparer.Ordinal);
    }
}
