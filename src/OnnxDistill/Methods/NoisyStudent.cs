using OnnxDistill.Graph.Model;

namespace OnnxDistill.Methods;

/// <summary>A sample x of the student in training mode, noised to x_t = x + sigma epsilon: what every score-based student step begins with.</summary>
/// <param name="X">The sample.</param>
/// <param name="Label">Its class.</param>
/// <param name="Sigma">The noise level, [N].</param>
/// <param name="Noisy">x_t.</param>
internal sealed record NoisyStudent(Value X, Value? Label, Value Sigma, Value Noisy)
{
    /// <summary>Draws latents, classes, levels and noise.</summary>
    public static NoisyStudent Of(LossContext c, NoiseLaw law)
    {
        var label = c.Label();
        var x = c.Student(c.Latent(), label, masks: Roles.Student);
        var sigma = law.Sample(c);
        return new NoisyStudent(x, label, sigma, c.AddNoise(x, sigma, c.NormalLikeBatch("epsilon")));
    }
}
