using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>
/// y = (x - mean[c]) r[c] scale[c] + bias[c], r = 1 / sqrt(variance + epsilon). In inference mean and variance are inputs. In training they are
/// those of the batch over all axes but the channels', and the further outputs are momentum * input + (1 - momentum) * batch statistic.
/// </summary>
internal sealed class BatchNormalizationRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context) =>
        context.Node.Attributes.Int("training_mode", 0) == 0 ? Inference(context) : Training(context);

    private static Value?[] Inference(GradientContext context)
    {
        var (g, node, dy) = (context.Builder, context.Node, context.OutputGradient);
        var (x, scale) = (node.Input(0), node.Input(1));
        var channels = new Channels(g, x.Shape);
        var inverse = Inverse(g, node, node.Input(4));
        var centred = g.Sub(x, channels.Spread(node.Input(3)));
        var dbias = channels.Sum(dy);
        var dscale = g.Mul(channels.Sum(g.Mul(dy, centred)), inverse);
        var slope = g.Mul(scale, inverse);
        // dr/dvariance = -r^3 / 2
        var dvariance = g.Mul(g.Mul(g.Mul(dscale, slope), inverse), -0.5);
        return [g.Mul(dy, channels.Spread(slope)), dscale, dbias, g.Neg(g.Mul(dbias, slope)), dvariance];
    }

    private static Value?[] Training(GradientContext context)
    {
        var (g, node) = (context.Builder, context.Node);
        var (x, scale) = (node.Input(0), node.Input(1));
        var channels = new Channels(g, x.Shape);
        var momentum = node.Attributes.Float("momentum", 0.9f);
        var centred = g.Sub(x, g.ReduceMean(x, channels.Others));

        var parts = new List<Value>();
        Value? dscale = null, dbias = null;
        if (context.OutputGradients[0] is { } dy)
        {
            var inverse = Inverse(g, node, g.ReduceMean(g.Square(centred), channels.Others));
            var normalized = g.Mul(centred, inverse);
            parts.Add(NormalizationGradient.Apply(g, normalized, inverse, g.Mul(dy, channels.Spread(scale)), channels.Others));
            (dscale, dbias) = (channels.Sum(g.Mul(dy, normalized)), channels.Sum(dy));
        }
        var (dmean, dvariance) = (context.OutputGradients.ElementAtOrDefault(1), context.OutputGradients.ElementAtOrDefault(2));
        // The batch's mean moves by dx / n, its variance by 2 (x - mean) dx / n.
        var weight = (1.0 - momentum) / channels.Count;
        if (dmean is not null)
            parts.Add(g.Expand(channels.Spread(g.Cast(g.Mul(dmean, weight), x.Type)), x.Shape));
        if (dvariance is not null)
            parts.Add(g.Mul(centred, channels.Spread(g.Cast(g.Mul(dvariance, 2 * weight), x.Type))));
        return [parts.Count == 1 ? parts[0] : g.Sum([.. parts]), dscale, dbias,
            dmean is null ? null : g.Mul(dmean, momentum), dvariance is null ? null : g.Mul(dvariance, momentum)];
    }

    private static Value Inverse(GraphBuilder g, Node node, Value variance) =>
        g.Reciprocal(g.Sqrt(g.Add(variance, node.Attributes.Float("epsilon", 1e-5f))));

    /// <summary>Between [N, C, places...] and [C].</summary>
    private sealed class Channels(GraphBuilder g, Shape shape)
    {
        private readonly Shape _spread = new(shape.Select((d, i) => i == 1 ? d : 1));

        /// <summary>All axes but the channels'.</summary>
        public long[] Others { get; } = [.. Enumerable.Range(0, shape.Rank).Where(i => i != 1).Select(i => (long)i)];

        /// <summary>Elements of one channel.</summary>
        public long Count => shape.ElementCount / shape[1].Size;

        public Value Spread(Value perChannel) => g.Reshape(perChannel, _spread);

        public Value Sum(Value x) => g.ReduceSum(x, Others, keepDims: false);
    }
}
