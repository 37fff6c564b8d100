using OnnxDistill.Graph;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Normalization;

namespace OnnxDistill.Verification;

/// <summary>A model brought to the form that is differentiated: opset 18, folded, every shape a number.</summary>
/// <param name="Graph">The graph.</param>
/// <param name="Weights">Names of the weights: floating initializers of the file that have an axis. Single numbers are constants of
/// formulas (exponents, epsilons), in which a model need not even be smooth.</param>
internal sealed record CheckedModel(OnnxGraph Graph, IReadOnlyList<string> Weights)
{
    private const long DefaultBatch = 2;

    /// <summary>Inlines, straightens, converts and normalises the model.</summary>
    /// <exception cref="ArgumentException">Batch or feeds do not fit the model.</exception>
    /// <exception cref="UnsupportedOpException">Operators are not known, or extents stay unknown.</exception>
    public static CheckedModel Prepare(OnnxModel model, IReadOnlyDictionary<string, TensorData> feeds, GradientCheckOptions check)
    {
        var batch = check.Batch;
        var fixedShapes = feeds.ToDictionary(f => f.Key, f => f.Value.Dims);
        var symbolic = model.Graph.Inputs.Any(i => !feeds.ContainsKey(i.Name) && i.KnownShape is { Rank: > 0 } shape && !shape[0].IsKnown);
        var options = new NormalizeOptions { Shapes = fixedShapes, Batch = batch ?? (symbolic ? DefaultBatch : null) };
        var named = model.Graph.Initializers.Where(i => i.Type.IsFloating() && i.Constant is { Dims.Length: > 0 }).Select(i => i.Name)
            .Except(ShapeFeeders.Find(model.Graph)).ToHashSet(StringComparer.Ordinal);

        var graph = ModelPreparation.Prepare(model, options).Graph;
        var open = graph.Inputs.Where(i => i.KnownShape is not { IsStatic: true }).ToList();
        if (open.Count > 0)
        {
            throw new UnsupportedOpException($"Gradients are checked at fixed shapes, but these inputs have unknown extents: {string.Join("; ", open)}. "
                + "Give them with --feeds.");
        }
        if (check.RandomWeights)
        {
            var filled = model.Graph.Nodes.Where(static n => n.QualifiedOp == "ConstantOfShape").Select(static n => n.Output.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var weight in graph.Initializers.Where(i => i.Type.IsFloating() && filled.Contains(i.Name)))
                weight.Constant = RandomWeights.For(graph, weight, check.Seed);
            LogitScale.Calm(graph, filled, feeds, check.Seed);
            named.UnionWith(filled);
        }
        var weights = graph.Initializers.Where(i => named.Contains(i.Name) && i.Constant!.ElementCount <= check.MostElements).Select(static i => i.Name); // an initializer has its data
        return new CheckedModel(graph, [.. weights]);
    }
}
