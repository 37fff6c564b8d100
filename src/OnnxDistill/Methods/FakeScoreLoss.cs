using System.Text.Json.Serialization;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods.Augmentation;
using OnnxDistill.Networks;

namespace OnnxDistill.Methods;

/// <summary>Weights of a denoiser's squared error by noise level: what the network would be fitted to in another frame.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DenoisingWeight>))]
public enum DenoisingWeight
{
    /// <summary>EDM's: 1/sigma² + 1/sigma_data² (Karras et al. 2022, arXiv 2206.00364, section 5).</summary>
    [JsonStringEnumMemberName("edm")]
    Edm,
    /// <summary>Squared error of the noise: 1/sigma².</summary>
    [JsonStringEnumMemberName("eps")]
    Epsilon,
    /// <summary>Squared error of v under a variance-preserving schedule: 1/sigma² + 1, in units of sigma_data = 0.5.</summary>
    [JsonStringEnumMemberName("v")]
    V,
    /// <summary>Squared error of the clean sample: 1 at every level.</summary>
    [JsonStringEnumMemberName("x0")]
    X0,
}

/// <summary>A denoiser at work on samples to which noise was added.</summary>
/// <param name="Clean">The samples before, augmented where they were.</param>
/// <param name="Sigma">Their noise levels, [N].</param>
/// <param name="Epsilon">The noise, of unit variance.</param>
/// <param name="Denoised">What the network makes of them.</param>
/// <param name="Features">The activations that the method taps.</param>
internal sealed record Denoising(Value Clean, Value Sigma, Value Epsilon, Value Denoised, IReadOnlyList<Value> Features);

/// <summary>
/// Denoising score matching (Karras et al. 2022, arXiv 2206.00364, section 5): lambda(sigma) ||D(y + sigma epsilon; sigma) - y||², summed over a sample, averaged over
/// the batch. The fake score's loss on the student's samples, and a teacher's own on data.
/// </summary>
public static class FakeScoreLoss
{
    /// <summary>The fake-score phase that most methods share: the loss on samples of the student.</summary>
    /// <param name="law">Law of the noise levels.</param>
    /// <param name="updates">Updates an iteration.</param>
    /// <param name="augment">How samples are augmented; null for not at all.</param>
    /// <param name="weight">Weight by noise level.</param>
    /// <param name="overPixels">Divide by the numbers of a sample.</param>
    public static TrainingPhase Phase(NoiseLaw law, int updates, AugmentOptions? augment = null, DenoisingWeight weight = DenoisingWeight.Edm, bool overPixels = false) =>
        new("fake_score", [Roles.FakeScore], c =>
        {
            var (x, label) = c.StudentSamples();
            var loss = Build(c, Roles.FakeScore, x, label, law, augment, weight);
            return overPixels ? c.B.Div(loss, c.Task.Dimension) : loss;
        }, updates);

    /// <summary>The loss of the network in a role, in training mode, on clean samples.</summary>
    /// <param name="c">The phase's context.</param>
    /// <param name="role">The network that is trained.</param>
    /// <param name="clean">Samples; no gradient flows into them.</param>
    /// <param name="label">Their classes.</param>
    /// <param name="law">Law of the noise levels.</param>
    /// <param name="augment">How they are augmented; null or a probability of 0 for not at all.</param>
    /// <param name="weight">Weight by noise level.</param>
    public static Value Build(LossContext c, string role, Value clean, Value? label, NoiseLaw law, AugmentOptions? augment = null, DenoisingWeight weight = DenoisingWeight.Edm) =>
        Error(c, Denoise(c, role, clean, label, law, augment), weight);

    /// <summary>Adds noise to samples and lets the network in a role, in training mode, take it away.</summary>
    internal static Denoising Denoise(LossContext c, string role, Value clean, Value? label, NoiseLaw law, AugmentOptions? augment = null)
    {
        Value? augmented = null;
        if (augment is { Probability: > 0 })
            (clean, augmented) = AugmentPipe.Apply(c, clean, augment);
        var sigma = law.Sample(c);
        var epsilon = c.NormalLikeBatch("epsilon");
        var (denoised, features) = c.DenoiseTapped(role, c.AddNoise(clean, sigma, epsilon), sigma, label, masks: role, augment: augmented);
        return new Denoising(clean, sigma, epsilon, denoised, features);
    }

    /// <summary>Its weighted squared error.</summary>
    internal static Value Error(LossContext c, Denoising d, DenoisingWeight weight) =>
        c.BatchMean(c.B.Mul(Weight(c, d.Sigma, d.Clean.Shape.Rank, weight), c.B.SumPerSample(c.B.Square(c.B.Sub(d.Denoised, d.Clean)))));

    /// <summary>lambda(sigma), a number a sample, with that many axes.</summary>
    internal static Value Weight(LossContext c, Value sigma, int rank, DenoisingWeight weight)
    {
        var b = c.B;
        var s = b.PerSample(sigma, rank);
        // 1/sigma² reaches 2.5e5 at sigma = 0.002, so it is formed in float32 (methods.md, trap 14).
        Value Inverse() => b.Reciprocal(b.Square(s));
        return weight switch
        {
            DenoisingWeight.Edm => b.Add(Inverse(), 1 / (c.Task.SigmaData * c.Task.SigmaData)),
            DenoisingWeight.Epsilon => Inverse(),
            DenoisingWeight.V => b.Add(Inverse(), 1 / (c.Task.NoiseScale * c.Task.NoiseScale)),
            _ => b.Full(s.Shape, 1),
        };
    }
}
