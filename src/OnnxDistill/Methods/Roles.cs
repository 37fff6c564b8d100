namespace OnnxDistill.Methods;

/// <summary>Names of the networks that methods speak of.</summary>
public static class Roles
{
    /// <summary>The frozen pretrained denoiser.</summary>
    public const string Teacher = "teacher";
    /// <summary>The one-step generator.</summary>
    public const string Student = "student";
    /// <summary>The denoiser of the student's own samples.</summary>
    public const string FakeScore = "fake_score";
    /// <summary>What tells real samples from generated ones, on the features of a denoiser.</summary>
    public const string Discriminator = "discriminator";
    /// <summary>The density of the student's latent given a noisy sample.</summary>
    public const string Posterior = "posterior";
}
