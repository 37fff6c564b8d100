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
    public static OnnxModel Prepare(OnnxModel model, NormalizeOptions? options = null)
    {
        var converted = Convert(model, options);
        var normal = ModelNormalizer.Normalize(converted, options);
        // A trip count or a condition may be constant only since ONNX Runtime has folded the graph.
        return ControlFlow.Unroll(normal) ? ModelNormalizer.Normalize(normal, options) : normal;
    }

    /// <summary>The model inlined, straightened and brought to opset 18. ONNX Runtime is asked only where that needs shapes which the file does not
    /// tell.</summary>
    /// <inheritdoc cref="Prepare"/>
    public static OnnxModel Convert(OnnxModel model, NormalizeOptions? options = null)
    {
        var straight = FunctionInliner.Inline(model);
        ForgetShapes(straight.Graph, options ?? new NormalizeOptions());
        ControlFlow.Unroll(straight);
        if (!OpsetConverter.LacksShapes(straight))
            return OpsetConverter.Convert(straight);
        // Normalised, the model has shapes; loops may have become constant, and their bodies get shapes in a second go.
        var normal = ModelNormalizer.Normalize(straight, options);
        if (ControlFlow.Unroll(normal))
            normal = ModelNormalizer.Normalize(normal, options);
        return OpsetConverter.Convert(normal);
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
