using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Networks.Posteriors;

namespace OnnxDistill.Methods;

/// <summary>Options of <see cref="VarDiu"/>.</summary>
public sealed record VarDiuOptions
{
    // The release adds 0.01 to the exponent every 1000 iterations of 512 latents.
    private const long Annealing = 140_000L * 512;

    /// <summary>The posterior network.</summary>
    public PosteriorOptions Posterior { get; init; } = new();

    /// <summary>Law of the noise levels; the release's, for a mixture on [-40, 40]², in the data's own units.</summary>
    public NoiseLaw StudentNoise { get; init; } = new() { Kind = NoiseLawKind.Power, Min = 0.1, Max = 20, Power = 1.5, PowerFrom = 0.1, PowerImages = Annealing, Absolute = true };

    /// <summary>Weight of a noise level: (sigma / the law's max) to this power; the release has 0, 1, 2 and 4.</summary>
    [Range(0, 16)]
    public double WeightPower { get; init; } = 2;

    /// <summary>Whether every sample is noised twice, by epsilon and by -epsilon.</summary>
    public bool Antithetic { get; init; } = true;

    /// <summary>Whether no gradient reaches the student through what a flow is conditioned on, as released. Without that gradient the bound is not what the student descends.</summary>
    public bool StopFlowGradient { get; init; }
}

/// <summary>
/// VarDiU: Wang, Zhang, Ou and Barber 2025, arXiv 2508.20646 (methods.md 3.9). With x = G(z), x_t = x + sigma epsilon and any density q(z | x_t),
/// KL(p_t || q_t) &lt;= const - E[ln q_t(x_t) + ln q(z | x_t)], with equality for the exact posterior. Student and posterior descend the bound together in one step:
/// L = -w(sigma) {ln q(z | x_t) + sg[(r - x)/sigma²] · x}, w = (sigma/sigma_max)². Gradient reaches the student through x_t, the posterior's input; z is a constant,
/// and the teacher is not differentiated. There is no fake score.
/// (r - x)/sigma² is the teacher's score plus epsilon/sigma. That has the mean zero (with antithetic noise it cancels outright), and takes away the same number in the gradient
/// of the posterior: where that is exact, what is left is w (s_p - s_q), sample for sample, which is Diff-Instruct's gradient with the exact fake score.
/// Where we differ: the batch counts latents, so that the release's 1024 is 512 here, each noised twice; the posterior sees EDM's scaling of x_t and sigma unless told otherwise;
/// the released flow mixes x_t into z by a layer without its Jacobian, so that it is no density of z: here x_t conditions splines, and its gradient is complete.
/// </summary>
public sealed class VarDiu(VarDiuOptions options) : IDistillationMethod
{
    /// <inheritdoc/>
    public string Name => "vardiu";

    /// <inheritdoc/>
    public string Paper => "Wang et al. 2025, arXiv 2508.20646";

    /// <inheritdoc/>
    public string Published => "mixtures in the plane";

    /// <inheritdoc/>
    public object Options => options;

    /// <inheritdoc/>
    public IReadOnlyList<AuxiliaryNetwork> Auxiliaries => [new(Roles.Posterior, BuildPosterior)];

    /// <inheritdoc/>
    public IReadOnlyList<TrainingPhase> Phases => [new("student", [Roles.Student, Roles.Posterior], BuildLoss)];

    /// <inheritdoc/>
    public JsonObject Preset => new()
    {
        ["training"] = new JsonObject
        {
            ["batch"] = 512,
            ["sigmaInit"] = 1.0,
            ["optimizer"] = new JsonObject { ["learningRate"] = 1e-4, ["beta1"] = 0.9, ["beta2"] = 0.999, ["epsilon"] = 1e-8, ["clipNorm"] = 10.0 },
        },
    };

    private Network BuildPosterior(DistillationTask task)
    {
        try
        {
            return Posterior.Build(options.Posterior, new PosteriorPlace(task.Batch, task.DataShape, task.LatentShape, task.SigmaData, task.Labels));
        }
        catch (ArgumentException error)
        {
            throw new RecipeException($"options.{error.Message}", error);
        }
    }

    private Value BuildLoss(LossContext c)
    {
        var b = c.B;
        var label = c.Label();
        var z = c.Latent();
        var x = c.Student(z, label, masks: Roles.Student);
        var sigma = options.StudentNoise.Sample(c);
        var epsilon = c.NormalLikeBatch("epsilon");
        Value Bound(Value noise)
        {
            var noisy = c.AddNoise(x, sigma, noise);
            return b.Add(LogPosterior(c, z, noisy, sigma, label), Agreement(c, x, noisy, sigma, label));
        }
        var bound = options.Antithetic ? b.Mul(b.Add(Bound(epsilon), Bound(b.Neg(epsilon))), 0.5) : Bound(epsilon);
        var weight = b.Pow(b.Mul(sigma, 1 / (options.StudentNoise.Max * options.StudentNoise.Scale(c.Task))), options.WeightPower);
        return c.BatchMean(b.Neg(b.Mul(weight, bound)));
    }

    // ln q(z | x_t), [N].
    private Value LogPosterior(LossContext c, Value z, Value noisy, Value sigma, Value? label)
    {
        var inputs = new Dictionary<string, Value> { [Posterior.X] = noisy, [Posterior.Sigma] = sigma, [Posterior.Latent] = z };
        if (label is not null)
            inputs[Posterior.Label] = label;
        if (options.Posterior.Kind == PosteriorKind.Flow)
            inputs[Posterior.FlowX] = options.StopFlowGradient ? c.B.StopGradient(noisy) : noisy;
        return c.Apply(Roles.Posterior, inputs)[Posterior.LogDensity];
    }

    // sg[(r - x) / sigma²] · x, [N].
    private static Value Agreement(LossContext c, Value x, Value noisy, Value sigma, Value? label)
    {
        var b = c.B;
        var r = c.Teacher(noisy, sigma, label);
        var score = b.StopGradient(b.Div(b.Sub(r, x), b.Square(b.PerSample(sigma, x.Shape.Rank))));
        return b.Reshape(b.SumPerSample(b.Mul(score, x)), Shape.Of(c.Task.Batch));
    }
}
