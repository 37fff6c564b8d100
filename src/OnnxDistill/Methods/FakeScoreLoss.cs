using OnnxDistill.Graph.Model;
using OnnxDistill.Methods.Augmentation;
using OnnxDistill.Networks;

namespace OnnxDistill.Methods;

/// <summary>
/// Denoising score matching with EDM's weight (Karras et al. 2022, arXiv 2206.00364, section 5):
/// lambda(sigma) ||D(y + sigma epsilon; sigma) - y||², lambda = (sigma² + sd²)/(sigma sd)², summed over a sample, averaged over the batch.
/// The fake score's loss on the student's samples, and a teacher's own on data.
/// </summary>
public static class FakeScoreLoss
{
    /// <summary>The fake-score phase that most methods share: the loss on samples of the student, which is in inference mode and gets no gradient.</summary>
    public static TrainingPhase Phase(NoiseLaw law, int updates, AugmentOptions? augment = null) => new("fake_score", [Roles.FakeScore], c =>
    {
        var label = c.Label();
        var x = c.B.StopGradient(c.Student(c.Latent(), label));
        return Build(c, Roles.FakeScore, x, label, law, augment);
    }, updates);

    /// <summary>The loss of the network in a role, in training mode, on clean samples.</summary>
    /// <param name="c">The phase's context.</param>
    /// <param name="role">The network that is trained.</param>
    /// <param name="clean">Samples; no gradient flows into them.</param>
    /// <param name="label">Their classes.</param>
    /// <param name="law">Law of the noise levels.</param>
    /// <param name="augment">How they are augmented; null or a probability of 0 for not at all.</param>
    public static Value Build(LossContext c, string role, Value clean, Value? label, NoiseLaw law, AugmentOptions? augment = null)
    {
        var b = c.B;
        Value? augmented = null;
        if (augment is { Probability: > 0 })
            (clean, augmented) = AugmentPipe.Apply(c, clean, augment);
        var sigma = law.Sample(c);
        var noisy = c.AddNoise(clean, sigma, c.NormalLikeBatch("epsilon"));
        var error = b.Sub(c.Denoise(role, noisy, sigma, label, masks: role, augment: augmented), clean);
        return c.BatchMean(b.Mul(Weight(c, sigma, clean.Shape.Rank), b.SumPerSample(b.Square(error))));
    }

    // 1/sigma² + 1/sd² is the same function; it reaches 2.5e5 at sigma = 0.002, so it is formed in float32 (methods.md, trap 14).
    private static Value Weight(LossContext c, Value sigma, int rank)
    {
        var b = c.B;
        var s = b.PerSample(sigma, rank);
        return b.Add(b.Reciprocal(b.Square(s)), 1 / (c.Task.SigmaData * c.Task.SigmaData));
    }
}
