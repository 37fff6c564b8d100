using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Old forms that differ from opset 18's in one thing only: settings that were attributes became inputs.</summary>
internal static class AttributesToInputs
{
    /// <summary>A conversion that moves these attributes, in this order, behind the node's first input. Lists become lists, a single
    /// integer a
    /// list of one, a single float a scalar of the computation's type; attributes that are not there become inputs left out.</summary>
    public static Action<NodeRewriter> Move(params string[] names) => r => Move(r, r.Node.Attributes, names);

    /// <summary>Dropout before 12 acts in training only; so does the newer form when nothing sets its training mode. But then its mask,
    /// which used
    /// to be all false (ONNX Runtime 1.31.1) or of another type (before 10), is all true.</summary>
    public static void Dropout(NodeRewriter r)
    {
        if (r.Uses(1))
            r.Refuse("its mask is used, which has another meaning before opset 12");
        else
            Move(r, r.Node.Attributes.With("ratio", r.Node.Attributes.Float("ratio", 0.5f)), ["ratio"], outputs: 1);
    }

    private static void Move(NodeRewriter r, AttributeMap attributes, string[] names, int? outputs = null)
    {
        var inputs = new List<Value?> { r.X };
        foreach (var name in names)
        {
            inputs.Add(attributes.FirstOrDefault(a => a.Key == name).Value switch
            {
                null => null,
                long number => r.Constant(name, number),
                float number => r.Scalar(name, number),
                long[] numbers => r.Constant(name, numbers),
                var other => throw new InvalidOperationException($"Attribute '{name}' of {r.Node} is a {other.GetType().Name}."),
            });
            attributes = attributes.With(name, null);
        }
        while (inputs[^1] is null)
            inputs.RemoveAt(inputs.Count - 1);
        r.Replace(r.Node.OpType, inputs, attributes, outputs);
    }
}
