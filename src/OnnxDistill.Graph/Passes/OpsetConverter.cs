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

    /// <summary>The model at opset 18, subgraphs included. It takes over the given model's values, so that one must not be used afterwards.
    /// Nodes of other domains than the standard one are left alone.</summary>
    /// <exception cref="UnsupportedOpException">The opset lies outside the range; or the model still has functions of its own (ONNX Runtime
    /// inlines them when the model is normalised, which comes first); or nodes cannot be converted: the message names all of
    /// them.</exception>
    public static OnnxModel Convert(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Opset is < OldestOpset or > NewestOpset)
        {
            throw new UnsupportedOpException($"The model is of ONNX opset {model.Opset}; {OldestOpset} to {NewestOpset} can be converted. "
                + $"Export it at opset {OnnxModel.InnerOpset}.");
        }
        if (model.Functions.Count > 0)
        {
            throw new UnsupportedOpException("The model has functions of its own, which must be inlined before its opset is converted "
                + "(normalise it first): " + string.Join(", ", model.Functions.Select(static f => $"{f.Domain}::{f.Name}")) + ".");
        }
        var walk = new OpsetWalk(model);
        var converted = new OnnxModel(walk.Convert(model.Graph)) { Producer = model.Producer, Description = model.Description };
        if (walk.Refusals.Count > 0)
        {
            throw new UnsupportedOpException($"These nodes cannot be brought from opset {model.Opset} to {OnnxModel.InnerOpset}:\n  - "
                + string.Join("\n  - ", walk.Refusals));
        }
        foreach (var (domain, version) in model.Opsets.Where(static p => p.Key.Length > 0))
            converted.Opsets[domain] = version;
        foreach (var (key, text) in model.Metadata)
            converted.Metadata[key] = text;
        return converted;
    }
}
