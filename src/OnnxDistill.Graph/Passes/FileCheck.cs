using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes;

/// <summary>The rules for a model that is written for others to run, beyond those that every graph keeps.</summary>
internal sealed class FileCheck(OnnxModel model, List<string> findings)
{
    // ONNX 1.13 brought opset 18 with version 8 of the format. Version 9 came with 1.14, and runtimes refuse versions that they do not know.
    private const long LeastIrVersion = 8, MostIrVersion = 9;

    /// <summary>Adds what is wrong to the findings.</summary>
    public void Run()
    {
        if (model.IrVersion is < LeastIrVersion or > MostIrVersion)
            findings.Add($"the file's IR version is {model.IrVersion}, expected {LeastIrVersion} to {MostIrVersion} for opset {OnnxModel.InnerOpset}");
        foreach (var domain in model.Graph.Nodes.Select(static n => n.Domain).Where(d => d != StopGradientMarker.Domain && !model.Opsets.ContainsKey(d)).Distinct())
            findings.Add($"nodes are of the operator domain '{domain}', which the model does not import");
        foreach (var key in model.Metadata.Keys.Where(string.IsNullOrWhiteSpace))
            findings.Add($"the metadata have the key '{key}', expected a name");
        foreach (var input in model.Graph.Inputs)
            CheckPort(input, "input");
        foreach (var output in model.Graph.Outputs)
            CheckPort(output, "output");
        if (model.Graph.Outputs.Count == 0)
            findings.Add("the graph has no output");
        // A formula's constants are named after their numbers.
        foreach (var initializer in model.Graph.Initializers.Where(static i => !ReadableNames.IsReadable(i.Name) && !i.Name.Split('/').Contains(GraphBuilder.ConstantPath)))
            findings.Add($"the initializer '{initializer.Name}' has no name that says what it is");
        CheckNames();
    }

    private void CheckPort(Value port, string kind)
    {
        if (port.Type == ElementType.Undefined && kind == "output") // of inputs GraphCheck says it
            findings.Add($"the graph {kind} '{port.Name}' has no element type");
        if (port.KnownShape is null)
            findings.Add($"the graph {kind} '{port.Name}' has no shape");
    }

    private void CheckNames()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in model.Graph.Nodes)
        {
            if (!ReadableNames.IsReadable(node.Name))
                findings.Add($"{node} has the name '{node.Name}', expected a path that says what it is");
            else if (!seen.Add(node.Name))
                findings.Add($"the node name '{node.Name}' stands twice");
            foreach (var value in node.Outputs.OfType<Value>().Where(static v => !ReadableNames.IsReadable(v.Name)))
                findings.Add($"{node} gives the value '{value.Name}', expected a path that says what it is");
        }
    }
}
