using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;

namespace OnnxDistill.Methods;

/// <summary>Options of <see cref="Gan"/>.</summary>
public sealed record GanOptions
{
    /// <summary>Factor gamma of the penalty R1 = gamma / 2 · |gradient of the logit by a real sample|², summed over a sample; 0 for none.</summary>
    [Range(0, 1e6)]
    public double R1 { get; init; } = 1;

    /// <summary>Channels of the discriminator's first convolution, twice as many in each after it; for points the width of its layers.</summary>
    [Range(1, 1 << 12)]
    public int DiscriminatorWidth { get; init; } = 32;

    /// <summary>Seed of the discriminator's initial weights.</summary>
    public long DiscriminatorSeed { get; init; }

    /// <summary>Updates of the discriminator an iteration.</summary>
    [Range(1, 100)]
    public int DiscriminatorUpdates { get; init; } = 1;
}

/// <summary>
/// Makes a generator from real samples alone, without a teacher: Goodfellow et al. 2014, arXiv 1406.2661, with the non-saturating loss of its section 3: the discriminator minimises
/// softplus(-C(y)) + softplus(C(G(z))), the generator softplus(-C(G(z))). The penalty R1 (Mescheder et al. 2018, arXiv 1801.04406, equation 9) is exact: the gradient of the
/// logits by the real samples is part of the loss and differentiated once more. What comes out is what Diff-Instruct refines (arXiv 2305.18455, section 4.2).
/// </summary>
public sealed class Gan(GanOptions options) : IDistillationMethod
{
    /// <inheritdoc/>
    public string Name => "gan";

    /// <inheritdoc/>
    public string Paper => "Goodfellow et al. 2014, arXiv 1406.2661";

    /// <inheritdoc/>
    public object Options => options;

    /// <inheritdoc/>
    public bool NeedsTeacher => false;

    /// <inheritdoc/>
    public bool NeedsSamples => true;

    /// <inheritdoc/>
    public bool LabelsFollowData => true;

    /// <inheritdoc/>
    public IReadOnlyList<AuxiliaryNetwork> Auxiliaries =>
        [new(Roles.Discriminator, task => SampleDiscriminator.Build(task.BatchShape, task.Labels, options.DiscriminatorWidth, options.DiscriminatorSeed))];

    /// <inheritdoc/>
    public IReadOnlyList<TrainingPhase> Phases =>
    [
        new("discriminator", [Roles.Discriminator], BuildDiscriminatorLoss, options.DiscriminatorUpdates),
        new("student", [Roles.Student], BuildStudentLoss),
    ];

    /// <summary>DCGAN's optimizer (arXiv 1511.06434, section 4).</summary>
    public JsonObject Preset => new()
    {
        ["training"] = new JsonObject
        {
            ["sigmaInit"] = 1.0,
            ["optimizer"] = new JsonObject { ["learningRate"] = 2e-4, ["beta1"] = 0.5, ["beta2"] = 0.999, ["epsilon"] = 1e-8 },
        },
    };

    private Value BuildDiscriminatorLoss(LossContext c)
    {
        var b = c.B;
        var label = c.Label();
        var fake = Logits(c, b.StopGradient(c.Student(c.Latent(), label)), label);
        var (samples, realLabel) = c.RealSamples();
        var real = Logits(c, samples, realLabel);
        var loss = b.Add(Discriminator.Real(c, real), Discriminator.Fake(c, fake));
        if (options.R1 == 0)
            return loss;
        // Samples do not see each other, so the gradient of the sum has each sample's own.
        var slope = Differentiator.Gradients(b, b.ReduceSum(real, keepDims: false), [samples])[0]!; // logits depend on the samples
        return b.Add(loss, b.Mul(c.BatchMean(b.SumPerSample(b.Square(slope))), options.R1 / 2));
    }

    private static Value BuildStudentLoss(LossContext c)
    {
        var label = c.Label();
        return Discriminator.Real(c, Logits(c, c.Student(c.Latent(), label, masks: Roles.Student), label));
    }

    private static Value Logits(LossContext c, Value samples, Value? label)
    {
        var inputs = new Dictionary<string, Value> { [SampleDiscriminator.X] = samples };
        if (label is not null)
            inputs[SampleDiscriminator.Label] = label;
        return c.Apply(Roles.Discriminator, inputs)[SampleDiscriminator.Logits];
    }
}
