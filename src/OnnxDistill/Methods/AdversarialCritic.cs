using OnnxDistill.Graph.Model;

namespace OnnxDistill.Methods;

/// <summary>
/// The critic's step of DMD2 (arXiv 2405.14867, released code; methods.md 3.3) and of methods built on it: the fake score's denoising error on the student's samples, and the
/// discriminator's on real and generated ones, each with noise of its own.
/// </summary>
/// <param name="Discriminator">Who tells real from generated.</param>
/// <param name="Noise">Law of all noise levels.</param>
/// <param name="ScoreWeight">Weight of the denoising error by level.</param>
/// <param name="Weight">Factor on the discriminator's loss.</param>
/// <param name="Regularization">Factor on the approximate R1 penalty, 0 for none: how much the logits of real samples move under a little noise (NVIDIA FastGen).</param>
/// <param name="Updates">Updates an iteration.</param>
internal sealed record AdversarialCritic(Discriminator Discriminator, NoiseLaw Noise, DenoisingWeight ScoreWeight, double Weight, double Regularization, int Updates)
{
    private const double RegularizationNoise = 0.1;

    /// <summary>The phase: fake score and discriminator learn together.</summary>
    public TrainingPhase Phase => new("critic", [Roles.FakeScore, Roles.Discriminator], Build, Updates);

    private Value Build(LossContext c)
    {
        var b = c.B;
        var (x, label) = c.StudentSamples();
        var (real, realLabel) = c.RealSamples();
        // The error is a mean over pixels as well.
        var score = b.Div(FakeScoreLoss.Error(c, FakeScoreLoss.Denoise(c, Roles.FakeScore, x, label, Noise), ScoreWeight), c.Task.Dimension);

        var fakeLogit = Logit(c, "fake", x, label, out _, out _);
        var realLogit = Logit(c, "real", real, realLabel, out var noisy, out var sigma);
        var adversarial = b.Add(Discriminator.Fake(c, fakeLogit), Discriminator.Real(c, realLogit));
        if (Regularization > 0)
        {
            var moved = b.Add(noisy, b.Mul(c.NormalLikeBatch("r1_noise"), RegularizationNoise));
            var difference = b.Sub(Discriminator.Logit(c, moved, sigma, realLabel, Masks), realLogit);
            adversarial = b.Add(adversarial, b.Mul(b.ReduceMean(b.Square(difference), keepDims: false), Regularization));
        }
        return b.Add(score, b.Mul(adversarial, Weight));
    }

    // A fake score that is trained is in training mode, a frozen teacher is not.
    private string? Masks => Discriminator.Base == Roles.FakeScore ? Roles.Discriminator : null;

    private Value Logit(LossContext c, string which, Value samples, Value? label, out Value noisy, out Value sigma)
    {
        sigma = Noise.Sample(c, $"sigma_draw_{which}");
        noisy = c.AddNoise(samples, sigma, c.NormalLikeBatch($"epsilon_{which}"));
        return Discriminator.Logit(c, noisy, sigma, label, Masks);
    }
}
