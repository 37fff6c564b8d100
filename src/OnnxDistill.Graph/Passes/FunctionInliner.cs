using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes.Inlining;
using OnnxDistill.Graph.Passes.OpsetConversions;

namespace OnnxDistill.Graph.Passes;

/// <summary>Puts the bodies of a model's own functions in place of their calls: nested ones, in branches and loops too.</summary>
/// <remarks>PyTorch's exporter writes models as calls of such functions. ONNX Runtime can inline them as well, but then neither the list of
/// operators nor the report of missing rules could say anything before it has run.</remarks>
public static class FunctionInliner
{
    private const int DeepestNesting = 64;

    /// <summary>A copy of the model without functions; values that the main graph names keep their names. Weights are shared, not
    /// copied.</summary>
    /// <exception cref="UnsupportedOpException">A function calls itself, or is of another version of an operator set than the model is.</exception>
    public static OnnxModel Inline(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var functions = model.Functions.ToDictionary(static f => (f.Domain == "ai.onnx" ? "" : f.Domain, f.Name));
        CheckOpsets(model);
        var copier = new NodeCopier(null, "", []);
        var copy = new OnnxGraph { Name = model.Graph.Name };
        copy.Inputs.AddRange(model.Graph.Inputs.Select(copier.Define));
        copy.Initializers.AddRange(model.Graph.Initializers.Select(copier.Define));
        copy.Nodes.AddRange(model.Graph.Nodes.Select(copier.Copy));
        copy.Outputs.AddRange(model.Graph.Outputs.Select(o => copier.Use(o)!)); // an output has a producer, an input or an initializer
        if (functions.Count > 0)
            Expand(copy, new NameSource(copy), functions, 0);

        var result = new OnnxModel(copy) { IrVersion = model.IrVersion, Producer = model.Producer, Description = model.Description };
        result.Opsets.Clear();
        foreach (var (domain, version) in model.Functions.SelectMany(static f => f.Opsets).Concat(model.Opsets))
            result.Opsets[domain == "ai.onnx" ? "" : domain] = version;
        foreach (var domain in functions.Keys.Select(static k => k.Item1).Where(static d => d.Length > 0))
            result.Opsets.Remove(domain);
        foreach (var (key, text) in model.Metadata)
            result.Metadata[key] = text;
        return result;
    }

    private static void Expand(OnnxGraph graph, NameSource names, Dictionary<(string, string), OnnxFunction> functions, int depth)
    {
        var nodes = graph.Nodes.ToList();
        graph.Nodes.Clear();
        foreach (var node in nodes)
        {
            foreach (var subgraph in node.Attributes.Select(static a => a.Value).OfType<OnnxGraph>())
                Expand(subgraph, names, functions, depth);
            if (functions.TryGetValue((node.Domain, node.OpType), out var function))
                graph.Nodes.AddRange(Body(node, function, names, functions, depth));
            else
                graph.Nodes.Add(node);
        }
    }

    private static List<Node> Body(Node call, OnnxFunction function, NameSource names, Dictionary<(string, string), OnnxFunction> functions, int depth)
    {
        if (depth > DeepestNesting)
            throw new UnsupportedOpException($"The function {function.Domain}::{function.Name} is nested more than {DeepestNesting} deep: does it call itself?");
        var values = new Dictionary<string, Value?>(StringComparer.Ordinal);
        foreach (var (i, input) in function.Body.Inputs.Index())
            values[input.Name] = call.OptionalInput(i);
        var passedThrough = new List<(Value From, Value To)>();
        foreach (var (output, wanted) in function.Body.Outputs.Zip(call.Outputs))
        {
            if (wanted is not null && !values.TryAdd(output.Name, wanted))
                passedThrough.Add((output, wanted));
        }
        var scope = call.Name.Length > 0 ? call.Name : call.Outputs.OfType<Value>().FirstOrDefault()?.Name ?? function.Name;
        object? Attribute(string name) => call.Attributes.Concat(function.Defaults).FirstOrDefault(a => a.Key == name).Value;
        var copier = new NodeCopier(names, scope, values, Attribute);
        // In a graph of its own, so that nested calls are found among its nodes only.
        var body = new OnnxGraph { Name = function.Name };
        body.Nodes.AddRange(function.Body.Nodes.Select(copier.Copy));
        foreach (var (from, to) in passedThrough)
        {
            body.Nodes.Add(new Node("Identity", [copier.Use(from) ?? throw new UnsupportedOpException(
                $"{call} passes on its input '{from.Name}', which is left out.")], [to], null, to.Name));
        }
        Expand(body, names, functions, depth + 1);
        return body.Nodes;
    }

    /// <summary>ONNX asks that a function's operators mean the same in the model's operator set, because inlining gives them that.</summary>
    private static void CheckOpsets(OnnxModel model)
    {
        var faults = new List<string>();
        foreach (var function in model.Functions)
        {
            var version = function.Opsets.TryGetValue("", out var own) || function.Opsets.TryGetValue("ai.onnx", out own) ? own : model.Opset;
            if (version == model.Opset)
                continue;
            var changed = Operators(function.Body).Where(op => MeansAnother(op, version, model.Opset)).Distinct().ToList();
            if (changed.Count > 0)
            {
                faults.Add($"{function.Domain}::{function.Name} is of opset {version}, the model of {model.Opset}, between which these operators changed: "
                    + string.Join(", ", changed));
            }
        }
        if (faults.Count > 0)
            throw new UnsupportedOpException($"Functions cannot be inlined:\n  - {string.Join("\n  - ", faults)}\nExport the model with one opset.");
    }

    /// <summary>Whether a node of the function's opset would be taken for something else in the model's: most changes only add types, and an older form
    /// that needs no conversion is a newer one too.</summary>
    private static bool MeansAnother(string op, long function, long model)
    {
        var (own, taken) = (ConversionList.Find(op, function), ConversionList.Find(op, model));
        return OperatorVersions.Of(op, function) != OperatorVersions.Of(op, model) && own != taken && (own is not null || function > model);
    }

    private static IEnumerable<string> Operators(OnnxGraph graph) => graph.Nodes.Where(static n => n.Domain.Length == 0).Select(static n => n.OpType)
        .Concat(graph.Nodes.SelectMany(static n => n.Attributes).Select(static a => a.Value).OfType<OnnxGraph>().SelectMany(Operators));
}
