using OnnxDistill.Graph;
using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;

namespace OnnxDistill.Verification;

/// <summary>What differentiating a model takes, without running it.</summary>
public static class GradientCost
{
    /// <summary>The footprint of the gradients of all floating outputs with respect to all floating inputs and weights.</summary>
    /// <param name="model">A model of opset 7 to 25; it is not changed.</param>
    /// <param name="batch">Samples, where the file leaves the batch open.</param>
    /// <exception cref="UnsupportedOpException">The model cannot be converted or differentiated; all reasons at once.</exception>
    public static GradientFootprint Of(OnnxModel model, long batch)
    {
        ArgumentNullException.ThrowIfNull(model);
        var symbolic = model.Graph.Inputs.Any(static i => i.KnownShape is { Rank: > 0 } shape && !shape[0].IsKnown);
        var prepared = CheckedModel.Prepare(model, new Dictionary<string, TensorData>(), new GradientCheckOptions { Batch = symbolic ? batch : null });
        var builder = new GraphBuilder(prepared.Graph.Name);
        var bound = prepared.Graph.Inputs.Concat(prepared.Graph.Initializers.Where(i => prepared.Weights.Contains(i.Name)))
            .ToDictionary(v => v.Name, v => builder.Input(v.Name, v.Type, v.Shape), StringComparer.Ordinal);
        var wanted = builder.Graph.Inputs.Where(static v => v.Type.IsFloating()).ToList();
        var outputs = builder.Inline(prepared.Graph, "model", bound).Where(static o => o.Type.IsFloating()).Distinct().ToList();
        var seeds = outputs.Select((o, i) => (o, builder.Input($"cotangent/{i}", o.Type, o.Shape))).ToList();
        var gradients = Differentiator.VectorJacobian(builder, seeds, wanted);

        foreach (var (i, output) in outputs.Index())
            builder.Output($"output/{i}", output);
        foreach (var (i, gradient) in gradients.Index())
        {
            if (gradient is not null)
                builder.Output($"gradient/{i}", gradient);
        }
        PassPipeline.Final.Run(builder.Graph);
        return GradientFootprint.Of(builder.Graph, [.. builder.Graph.Outputs.Take(outputs.Count)]);
    }
}
