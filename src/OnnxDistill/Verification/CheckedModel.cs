using OnnxDistill.Graph;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Runtime.Normalization;

namespace OnnxDistill.Verification;

/// <summary>A model brought to the form that is differentiated: opset 18, folded, every shape a number.</summary>
/// <param name="Graph">The graph.</param>
/// <param name="Weights">Names of the weights: floating initializers of the file that have an axis. Single numbers are constants of
/// formulas (exponents, epsilons), in which a model need not even be smooth.</param>
internal sealed record CheckedModel(OnnxGraph Graph, IReadOnlyList<string> Weights)
{
    private const long DefaultBatch = 2;

    /// <summary>Normalises, converts, and normalises what the conversion added.</summary>
    /// <exception cref="ArgumentException">Batch or feeds do not fit the model.</exception>
    /// <exception cref="UnsupportedOpException">Operators are not known, or extents stay unknown.</exception>
    public static CheckedModel Prepare(OnnxModel model, IReadOnlyDictionary<string, TensorData> feeds, long? batch)
    {
        var fixedShapes = feeds.ToDictionary(f => f.Key, f => f.Value.Dims);
        var symbolic = model.Graph.Inputs.Any(i => !feeds.ContainsKey(i.Name) && i.KnownShape is { Rank: > 0 } shape && !shape[0].IsKnown);
        var options = new NormalizeOptions { Shapes = fixedShapes, Batch = batch ?? (symbolic ? DefaultBatch : null) };
        var named = model.Graph.Initializers.Where(i => i.Type.IsFloating() && i.Constant is { Dims.Length: > 0 }).Select(i => i.Name)
            .Except(ShapeFeeders.Find(model.Graph)).ToHashSet(StringComparer.Ordinal);

        // First, because some conversions need shapes and none sees into functions; again, because what they emit has no shapes yet.
        var graph = ModelNormalizer.Normalize(OpsetConverter.Convert(ModelNormalizer.Normalize(model, options))).Graph;
        var open = graph.Inputs.Where(i => i.KnownShape is not { IsStatic: true }).ToList();
        if (open.Count > 0)
        {
            throw new UnsupportedOpException($"Gradients are checked at fixed shapes, but these inputs have unknown extents: {string.Join("; ", open)}. "
                + "Give them with --feeds.");
        }
        return new CheckedModel(graph, [.. graph.Initializers.Select(i => i.Name).Where(named.Contains)]);
    }
}
