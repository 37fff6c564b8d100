using System.Text.Json.Serialization;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;

namespace OnnxDistill.Methods;

/// <summary>Whose activations a discriminator looks at.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DiscriminatorBase>))]
public enum DiscriminatorBase
{
    /// <summary>The fake score's, whose encoder learns with it: DMD2 as released.</summary>
    [JsonStringEnumMemberName("fake-score")]
    FakeScore,
    /// <summary>The teacher's, which are frozen: NVIDIA's re-implementation of DMD2, and f-distill.</summary>
    [JsonStringEnumMemberName("teacher")]
    Teacher,
}

/// <summary>Options of a discriminator with heads of its own.</summary>
public sealed record DiscriminatorOptions
{
    /// <summary>Whose activations it looks at.</summary>
    public DiscriminatorBase On { get; init; }

    /// <summary>Names of tensors of that network, each with a head; empty for the end of its encoder ('inspect' lists candidates).</summary>
    public string[] Tensors { get; init; } = [];

    /// <summary>Seed of the heads' initial weights.</summary>
    public long Seed { get; init; }
}

/// <summary>
/// A discriminator as heads on a denoiser's activations (DMD2, arXiv 2405.14867; methods.md 3.3): softplus losses, whose optimum's logit is ln(q_real/p), and
/// everything that a method needs of it. Also SiDA's, which is the encoder itself (arXiv 2410.14919): the mean over channels.
/// </summary>
internal sealed class Discriminator(DiscriminatorOptions options)
{
    /// <summary>Role of the network whose activations it looks at.</summary>
    public string Base => options.On == DiscriminatorBase.Teacher ? Roles.Teacher : Roles.FakeScore;

    /// <summary>What a method with it taps.</summary>
    public IReadOnlyList<FeatureTap> Taps => [.. (options.Tensors.Length == 0 ? [""] : options.Tensors).Select(t => new FeatureTap(Base, t))];

    /// <summary>Its heads as a network.</summary>
    public AuxiliaryNetwork Network => new(Roles.Discriminator, task => DiscriminatorHead.Build(task.Features[Base], options.Seed));

    /// <summary>The mean of the heads' logits of noisy samples, [N]; positive for real.</summary>
    public Value Logit(LossContext c, Value noisy, Value sigma, Value? label, string? masks = null) => Logit(c, c.DenoiseTapped(Base, noisy, sigma, label, masks).Features);

    /// <summary>The same of the samples that the student step's scores look at.</summary>
    public Value Logit(LossContext c, StudentStep step) => Logit(c, Base == Roles.Teacher ? step.TeacherFeatures : step.FakeFeatures);

    // A method may tap more, after the discriminator's.
    private Value Logit(LossContext c, IReadOnlyList<Value> features)
    {
        var inputs = features.Take(Taps.Count).Select((f, i) => KeyValuePair.Create(DiscriminatorHead.Input(i), f)).ToDictionary();
        return c.B.ReduceMean(c.Apply(Roles.Discriminator, inputs)[DiscriminatorHead.Logits], [1], keepDims: false);
    }

    /// <summary>SiDA's logits [N, 1, ...]: the mean over channels of an activation.</summary>
    public static Value ChannelMean(LossContext c, Value feature) => c.B.ReduceMean(feature, [1]);

    /// <summary>Mean of softplus(-logit): small where the samples pass for real.</summary>
    public static Value Real(LossContext c, Value logits) => c.B.ReduceMean(c.B.Softplus(c.B.Neg(logits)), keepDims: false);

    /// <summary>Mean of softplus(logit): small where the samples are told from real ones.</summary>
    public static Value Fake(LossContext c, Value logits) => c.B.ReduceMean(c.B.Softplus(logits), keepDims: false);

    /// <summary>rho = q/p of the samples, [N], from logits [N, ...]: exp of the mean logit within ±10 (methods.md, trap 16). No gradient flows into it.</summary>
    public static Value Ratio(LossContext c, Value logits)
    {
        var b = c.B;
        var mean = logits.Shape.Rank == 1 ? logits : b.Reshape(b.MeanPerSample(logits), Shape.Of(c.Task.Batch));
        return b.StopGradient(b.Exp(b.Clip(mean, -10, 10)));
    }
}
