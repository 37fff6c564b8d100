using System.Text.Json.Nodes;
using OnnxDistill.Methods;

namespace OnnxDistill.Tests.Methods;

/// <summary>What is known of a method.</summary>
/// <param name="Name">Its name in recipes.</param>
/// <param name="ScorePhase">The phase that fits a denoiser by denoising score matching alone, and its role; null when there is none.</param>
/// <param name="Blocked">Roles that a phase's loss reads and into which its stop-gradients let nothing flow.</param>
/// <param name="StopGradients">Number of stop-gradients in each phase, in order.</param>
/// <param name="Toy">A run on the two modes of the plane: settings of the recipe.</param>
/// <param name="Distance">What the toy's result must come within; see <see cref="MethodToyTests"/> for what is measured.</param>
internal sealed record MethodCase(string Name, (string Phase, string Role)? ScorePhase, (string Phase, string Role)[] Blocked, int[] StopGradients,
    string[] Toy, double Distance)
{
    /// <summary>Options beside the defaults.</summary>
    public JsonObject Options { get; init; } = [];

    /// <summary>The gradient with respect to one generated sample, times the batch; null for a method without a student.</summary>
    public Func<OraclePoint, double[]>? SampleGradient { get; init; }

    /// <summary>Noise level of the student step from its random number.</summary>
    public Func<double, DistillationTask, double> StudentNoise { get; init; } = Oracles.LogNormal;

    public IDistillationMethod Create() => DistillationMethods.Create(Name, (JsonObject)Options.DeepClone());

    public override string ToString() => Options.Count == 0 ? Name : $"{Name} {Options.ToJsonString()}";
}

/// <summary>At least one row a method.</summary>
internal static class MethodCases
{
    private static readonly string[] ScoreToy =
    [
        "network.hidden=[32,32]", "training.batch=256", "training.sigmaInit=1", "training.ema.halfLifeImages=10000",
        "options.studentNoise={\"mean\":-1.2,\"deviation\":1.2}", "training.optimizer.finalFraction=0.05",
    ];

    private static string[] DmdToy =>
    [
        .. ScoreToy, "options.fakeScoreNoise={\"kind\":\"log-normal\"}", "options.pairs.count=2000", "training.images=153600",
    ];

    public static readonly MethodCase[] All =
    [
        new(DenoisingScoreMatching.MethodName, ("fit", Roles.Student), [], [0],
            ["network.hidden=[32,32]", "training.batch=256", "training.ema.halfLifeImages=10000", "training.optimizer.finalFraction=0.05",
                "training.images=102400"], 0.075),
        new("diff-instruct", ("fake_score", Roles.FakeScore), [("fake_score", Roles.Student), ("student", Roles.FakeScore)], [1, 2],
            [.. ScoreToy, "training.images=153600"], 0.12) { SampleGradient = Oracles.DiffInstruct },
        new("dmd", null, [("fake_score", Roles.Student), ("student", Roles.FakeScore)], [1, 1], DmdToy, 0.12),
        new("dmd", null, [("fake_score", Roles.Student), ("student", Roles.FakeScore)], [1, 1], [], 0)
        {
            Options = new JsonObject { ["regressionWeight"] = 0 },
            SampleGradient = DmdTests.Cotangent,
            StudentNoise = DmdTests.StudentNoise,
        },
        Sid(1.2),
        Sid(1.0) with { Toy = [.. ScoreToy, "training.images=153600"] },
        Sid(0.5),
    ];

    private static MethodCase Sid(double alpha) => new("sid", ("fake_score", Roles.FakeScore), [("fake_score", Roles.Student)], [1, 1], [], 0.12)
    {
        Options = new JsonObject { ["alpha"] = alpha },
        SampleGradient = p => Oracles.Sid(p, alpha, lossScale: 100),
        StudentNoise = Oracles.KarrasUniform,
    };
}
