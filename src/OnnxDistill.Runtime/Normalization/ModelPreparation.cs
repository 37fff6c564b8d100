using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;

namespace OnnxDistill.Runtime.Normalization;

/// <summary>The way of an imported model to the form that is differentiated: no functions, no loops, opset 18, folded, every shape told.</summary>
public static class ModelPreparation
{
    /// <summary>The model inlined, straightened and converted, then normalised.</summary>
    /// <param name="model">The model as read; it is not changed.</param>
    /// <param name="options">Shapes to write in; by default the batch stays a symbol.</param>
    /// <inheritdoc cref="ModelNormalizer.Normalize"/>
    public static OnnxModel Prepare(OnnxModel model, NormalizeOptions? options = null) => ModelNormalizer.Normalize(Convert(model, options), options);

    /// <summary>The model inlined, straightened and brought to opset 18. ONNX Runtime is asked only where that needs shapes which the file does not
    /// tell.</summary>
    /// <inheritdoc cref="Prepare"/>
    public static OnnxModel Convert(OnnxModel model, NormalizeOptions? options = null)
    {
        var straight = FunctionInliner.Inline(model);
        ForgetShapes(straight.Graph, options ?? new NormalizeOptions());
        ControlFlow.Unroll(straight);
        return OpsetConverter.Convert(OpsetConverter.LacksShapes(straight) ? ModelNormalizer.Normalize(straight, options) : straight);
    }

    // What the file says of the values inside is for the file's shapes; conversions would write them into the graph.
    private static void ForgetShapes(OnnxGraph graph, NormalizeOptions options)
    {
        var inputs = InputShapes.Resolve(graph, options);
        var changed = false;
        foreach (var (input, resolved) in graph.Inputs.Zip(inputs))
        {
            changed |= !Equals(input.KnownShape, resolved.KnownShape);
            input.KnownShape = resolved.KnownShape;
        }
        if (!changed)
            return;
        foreach (var value in graph.Nodes.SelectMany(static n => n.Outputs).OfType<Value>())
            value.KnownShape = null;
    }
}
