using System.ComponentModel.DataAnnotations;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods.Augmentation;

namespace OnnxDistill.Methods;

/// <summary>Options of SiDA's fake-score step, which is the discriminator's too, and of when the adversarial terms set in.</summary>
public sealed record EncoderCriticOptions
{
    /// <summary>Tensor of the fake score whose channel mean is the logit map; empty for the end of its encoder ('inspect' lists candidates).</summary>
    public string Tensor { get; init; } = "";

    /// <summary>Factor on the fake score's loss (ls).</summary>
    [Range(0, 1e9)]
    public double ScoreScale { get; init; } = 1;

    /// <summary>Factor on the discriminator's loss (lsd).</summary>
    [Range(0, 1e9)]
    public double DiscriminatorScale { get; init; } = 1;

    /// <summary>Law of the noise levels.</summary>
    public NoiseLaw Noise { get; init; } = new();

    /// <summary>How generated and real samples are augmented.</summary>
    public AugmentOptions Augment { get; init; } = new();

    /// <summary>Samples seen before the student is trained at all.</summary>
    [Range(0, long.MaxValue)]
    public long StudentFromImages { get; init; } = 100_000;

    /// <summary>Samples seen before its adversarial term sets in.</summary>
    [Range(0, long.MaxValue)]
    public long GanFromImages { get; init; } = 200_000;

    /// <summary>Updates an iteration.</summary>
    [Range(1, 100)]
    public int Updates { get; init; } = 1;
}

/// <summary>
/// The fake-score step of SiDA (Zhou et al., ICLR 2025, arXiv 2410.14919, as released; methods.md 3.6), in which the encoder of the fake score is also the discriminator C: its last
/// activation's mean over channels. L = ls sum lambda (f - x)² / B + lsd mean(lambda) ½ [softplus(-C(y + n)) + softplus(C(x + n))], the same noise n = sigma epsilon
/// for real and generated samples, lambda = 1/sigma² + 1/sigma_data². And the student's side of the game.
/// </summary>
internal sealed class EncoderCritic(EncoderCriticOptions options)
{
    private const double MostLogit = 10;

    /// <summary>What a method with it taps first.</summary>
    public FeatureTap Tap => new(Roles.FakeScore, options.Tensor);

    /// <summary>The phase.</summary>
    public TrainingPhase Phase => new("fake_score", [Roles.FakeScore], Build, options.Updates);

    /// <summary>The student's phase, which begins later.</summary>
    public TrainingPhase StudentPhase(Func<LossContext, Value> loss) => new("student", [Roles.Student], loss) { FromImages = options.StudentFromImages };

    /// <summary>C of the student step's noisy samples, [N, 1, ...].</summary>
    public static Value Logits(LossContext c, StudentStep step) => Discriminator.ChannelMean(c, step.FakeFeatures[0]);

    /// <summary>d mean softplus(-C) · omega, a number a sample with omega's axes: the mean over batch and map, logits within ±10.</summary>
    public static Value Fooling(LossContext c, Value logits, Value omega) =>
        c.B.Mul(omega, c.B.Mul(Discriminator.Real(c, c.B.Clip(logits, -MostLogit, MostLogit)), c.Task.Dimension));

    /// <summary>0 until the adversarial term sets in, then 1.</summary>
    public Value HasBegun(LossContext c) => c.Ramp("gan_on", new Ramp(0, 1, options.GanFromImages, options.GanFromImages));

    private Value Build(LossContext c)
    {
        var b = c.B;
        var (x, label) = c.StudentSamples();
        var (real, realLabel) = c.RealSamples();
        var fake = FakeScoreLoss.Denoise(c, Roles.FakeScore, x, label, options.Noise, options.Augment);
        Value? augmented = null;
        if (options.Augment is { Probability: > 0 })
            (real, augmented) = AugmentPipe.Apply(c, real, options.Augment, "real_");
        var noisy = c.AddNoise(real, fake.Sigma, fake.Epsilon);
        var realFeature = c.DenoiseTapped(Roles.FakeScore, noisy, fake.Sigma, realLabel, masks: "real", augment: augmented).Features[0];

        var lambda = b.ReduceMean(FakeScoreLoss.Weight(c, fake.Sigma, 1, DenoisingWeight.Edm), keepDims: false);
        var game = b.Add(Discriminator.Real(c, Discriminator.ChannelMean(c, realFeature)), Discriminator.Fake(c, Discriminator.ChannelMean(c, fake.Features[0])));
        return b.Add(b.Mul(FakeScoreLoss.Error(c, fake, DenoisingWeight.Edm), options.ScoreScale), b.Mul(b.Mul(lambda, game), options.DiscriminatorScale / 2));
    }
}
