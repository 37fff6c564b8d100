using OnnxDistill.Data;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Methods;

/// <summary>Samples of a Gaussian mixture as part of a graph, y = m_k + s_k n: real samples of a toy.</summary>
internal static class MixtureSamples
{
    /// <summary>Name of the input that chooses the modes.</summary>
    public const string ModeFeed = "mode";

    /// <summary>A batch of them.</summary>
    /// <exception cref="RecipeException">The mixture's weights differ, or its points do not fit the networks.</exception>
    public static Value Draw(LossContext c, GaussianMixture mixture)
    {
        if (mixture.Weights.ToArray().Any(w => Math.Abs((w * mixture.ModeCount) - 1) > 1e-9))
            throw new RecipeException("data.mixture: found unequal weights, expected equal ones; modes are drawn uniformly.");
        if (!c.Task.DataShape.SequenceEqual([mixture.Dimension]))
        {
            throw new RecipeException($"data.mixture: found points of {mixture.Dimension} numbers, the network takes samples of the shape "
                + $"[{string.Join(", ", c.Task.DataShape)}]. Both have to agree.");
        }
        var b = c.B;
        var means = Enumerable.Range(0, mixture.ModeCount).SelectMany(k => mixture.Mean(k).ToArray()).Select(m => (float)m).ToArray();
        var deviations = mixture.Stds.ToArray().Select(s => (float)s).ToArray();
        var mode = c.Index(ModeFeed, mixture.ModeCount);
        var mean = b.Gather(b.Constant(TensorData.Of(means, mixture.ModeCount, mixture.Dimension)), mode, 0);
        var deviation = b.Gather(b.Constant(TensorData.Of(deviations, mixture.ModeCount, 1)), mode, 0);
        return b.Add(mean, b.Mul(deviation, c.NormalLikeBatch("data_noise")));
    }
}
