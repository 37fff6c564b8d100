using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Importing;

/// <summary>A graph of half or double precision in float32: weights, casts, constants and the types of all values. Master weights and gradients are float32
/// (design.md decision 7); a half number is one of float32 too, so nothing is lost.</summary>
internal static class SinglePrecision
{
    /// <summary>Converts the graph in place and returns it.</summary>
    public static OnnxGraph Convert(OnnxGraph graph)
    {
        foreach (var value in graph.Inputs.Concat(graph.Outputs).Concat(graph.Initializers).Concat(graph.Nodes.SelectMany(static n => n.Outputs).OfType<Value>()))
        {
            if (!value.Type.IsFloating())
                continue;
            value.Type = ElementType.Float32;
            value.Constant = value.Constant?.ToFloat32();
        }
        for (var i = 0; i < graph.Nodes.Count; i++)
        {
            var (node, attributes) = (graph.Nodes[i], graph.Nodes[i].Attributes);
            foreach (var (name, value) in node.Attributes)
            {
                if (value is TensorData tensor && tensor.Type.IsFloating() && tensor.Type != ElementType.Float32)
                    attributes = attributes.With(name, tensor.ToFloat32());
                else if (name is "to" or "dtype" && value is long type && ((ElementType)type).IsFloating() && (ElementType)type != ElementType.Float32)
                    attributes = attributes.With(name, ElementType.Float32);
            }
            if (!ReferenceEquals(attributes, node.Attributes))
                graph.Nodes[i] = new Node(node.OpType, node.Inputs, node.Outputs, attributes, node.Name, node.Domain);
        }
        return graph;
    }
}
