using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes.OpsetConversions;

namespace OnnxDistill.Graph.Passes;

/// <summary>Brings graphs of opset 7 to 25 to the one opset inside OnnxDistill, 18 (design.md decision 8). What it knows is listed in
/// <c>OpsetConversions/ConversionList.cs</c>.</summary>
public static class OpsetConverter
{
    /// <summary>The oldest opset that is converted: older ones broadcast by attributes.</summary>
    public const int OldestOpset = 7;

    /// <summary>The newest opset that is converted.</summary>
    public const int NewestOpset = 25;

    /// <summary>The model at opset 18, functions inlined, subgraphs included. The given model is not changed; weights are shared with it.</summary>
    /// <exception cref="UnsupportedOpException">The opset lies outside the range, or nodes cannot be converted: the message names all of
    /// them.</exception>
    public static OnnxModel Convert(OnnxModel model)
    {
        var (converted, refusals) = Try(model);
        return refusals.Count == 0 ? converted
            : throw new UnsupportedOpException($"These nodes cannot be brought from opset {model.Opset} to {OnnxModel.InnerOpset}:\n  - "
                + string.Join("\n  - ", refusals.Select(static r => $"{r.Node}: {r.Reason}")));
    }

    /// <summary>Whether nodes can be converted only when more shapes are known; nodes that cannot be converted at all do not count.</summary>
    /// <inheritdoc cref="Convert"/>
    public static bool LacksShapes(OnnxModel model) => Try(model).Refusals is var refusals && refusals.Any(static r => r.LacksShapes)
        && refusals.All(static r => r.LacksShapes);

    /// <summary>The model at opset 18 as far as it can be converted, and the nodes that cannot, which are then missing in it.</summary>
    /// <exception cref="UnsupportedOpException">The opset lies outside the range, or functions cannot be inlined.</exception>
    internal static (OnnxModel Model, IReadOnlyList<ConversionRefusal> Refusals) Try(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var inlined = FunctionInliner.Inline(model);
        if (inlined.Opset is < OldestOpset or > NewestOpset)
        {
            throw new UnsupportedOpException($"The model is of ONNX opset {inlined.Opset}; {OldestOpset} to {NewestOpset} can be converted. "
                + $"Export it at opset {OnnxModel.InnerOpset}.");
        }
        var walk = new OpsetWalk(inlined);
        var converted = new OnnxModel(walk.Convert(inlined.Graph)) { Producer = model.Producer, Description = model.Description };
        foreach (var (key, text) in model.Metadata)
            converted.Metadata[key] = text;
        return (converted, walk.Refusals);
    }
}

/// <summary>A node that has no opset-18 form.</summary>
/// <param name="Node">The node.</param>
/// <param name="Reason">Why not.</param>
/// <param name="LacksShapes">Whether it has one as soon as the shapes around it are known.</param>
internal sealed record ConversionRefusal(Node Node, string Reason, bool LacksShapes);
