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

    /// <summary>What the toy's result is measured by, with its sign.</summary>
    public (string Metric, double Sign) Measure { get; init; } = ("mmd2k.mmd", 1);

    /// <summary>Noise level of the student step from its random number.</summary>
    public Func<double, DistillationTask, double> StudentNoise { get; init; } = Oracles.LogNormal;

    public IDistillationMethod Create() => DistillationMethods.Create(Name, (JsonObject)Options.DeepClone());

    public override string ToString() => Options.Count == 0 ? Name : $"{Name} {Options.ToJsonString()}";
}

/// <summary>At least one row a method.</summary>
internal static class MethodCases
{
    private static string[] ScoreToy =>
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
            Options = Json("""{ "regressionWeight": 0 }"""),
            SampleGradient = p => Oracles.DistributionMatching(p, 1),
            StudentNoise = (u, task) => Oracles.Karras(0.02 + (0.96 * u), task),
        },
        new("dmd2", null, [("critic", Roles.Student)], [1, 1], DistributionMatchingToy, 0.12) { Options = Json("""{ "criticUpdates": 2 }""") },
        new("dmd2", null, [("critic", Roles.Student), ("student", Roles.FakeScore), ("student", Roles.Discriminator)], [1, 1], [], 0)
        {
            Options = Json("""{ "ganWeight": 0 }"""),
            SampleGradient = p => Oracles.DistributionMatching(p, 1),
            StudentNoise = (u, task) => Oracles.Karras(0.02 + (0.96 * u), task),
        },
        new("dmd2", null, [("critic", Roles.Student), ("student", Roles.FakeScore)], [1, 1], [], 0)
        {
            Options = Json("""{ "discriminator": { "on": "teacher" }, "sharedNoise": true, "epsilon": 1e-6, "fakeScoreWeight": "x0", "r1Weight": 0.5, "discriminatorWeight": 1 }"""),
        },
        new("f-distill", null, [("critic", Roles.Student)], [1, 4], DistributionMatchingToy, 0.12)
        {
            Options = Json("""{ "discriminator": { "on": "fake-score" }, "divergence": "forward-kl", "bins": 3, "binDecay": 0.5 }"""),
        },
        new("f-distill", null, [("critic", Roles.Student), ("student", Roles.FakeScore)], [1, 4], [], 0) { Options = Json("""{ "binDecay": 0.5, "bins": 4 }""") },
        new("gan", null, [("discriminator", Roles.Student)], [1, 0],
            ["data.mixture=mixture.csv", "network.hidden=[32,32]", "training.batch=256", "training.sigmaInit=1", "training.ema.halfLifeImages=10000",
                "training.optimizer={\"learningRate\":4e-3,\"beta1\":0,\"finalFraction\":0.05}", "training.images=153600"], 0.12),
        new("gan", null, [("discriminator", Roles.Student)], [1, 0], [], 0) { Options = Json("""{ "r1": 0, "discriminatorWidth": 8 }""") },
        new("sds", null, [], [2], [.. ScoreToy, "options.studentNoise={\"kind\":\"vp-uniform\",\"tMin\":0.02,\"tMax\":0.1}", "training.images=102400"], 0.35)
        {
            // It seeks modes: samples at the two have a mean log-density of -0.12, those of the mixture -1.12.
            Measure = ("logp2k.mean", -1),
            SampleGradient = p => Oracles.VariationalScore(p, p.X.Zip(p.R, (x, r) => x - r)),
            StudentNoise = Oracles.VariancePreserving,
        },
        Sid(1.2),
        Sid(1.0) with { Toy = [.. ScoreToy, "training.images=153600"] },
        Sid(0.5),
        new("sida", null, [("fake_score", Roles.Student)], [1, 1], [.. EncoderToy, "training.images=153600"], 0.12) { Options = Json(EarlyCritic) },
        Sim("pseudo-huber") with { Toy = [.. ScoreToy, "training.images=153600"] },
        Sim("l2"),
        new("uni-instruct", null, [("fake_score", Roles.Student)], [1, 3], [.. EncoderToy, "training.images=153600"], 0.12) { Options = Json(EarlyCritic) },
        new("uni-instruct", null, [("fake_score", Roles.Student)], [1, 3], [], 0) { Options = Json("""{ "ratio": "exact", "ganScale": 0, "divergence": "jeffreys", "terms": "released" }""") },
        new("vardiu", null, [], [2], [.. VarDiuToy], 0.12) { Options = Json("""{ "posterior": { "hidden": [32, 32] } }""") },
        new("vardiu", null, [], [1], [], 0)
        {
            Options = Json("""{ "posterior": { "hidden": [8], "scaling": "none" }, "antithetic": false }"""),
            SampleGradient = Oracles.VarDiu,
            StudentNoise = Oracles.VarDiuPower,
        },
        new("vardiu", null, [], [2], [.. VarDiuToy], 0.12) { Options = Json("""{ "posterior": { "kind": "flow", "hidden": [32, 32], "flow": { "layers": 2, "hidden": [16, 16], "bins": 4 } } }""") },
        new("vardiu", null, [], [4], [], 0) { Options = Json("""{ "posterior": { "kind": "flow", "hidden": [8], "flow": { "hidden": [8] } }, "stopFlowGradient": true, "weightPower": 1 }""") },
        new("vsd", null, [("fake_score", Roles.Student), ("student", Roles.FakeScore)], [1, 1], [.. ScoreToy, "training.images=153600"], 0.12)
        {
            SampleGradient = p => Oracles.VariationalScore(p, p.F.Zip(p.R, (f, r) => f - r)),
            StudentNoise = Oracles.VariancePreserving,
        },
        new("vsd", null, [("fake_score", Roles.Student), ("student", Roles.FakeScore)], [1, 1], [], 0) { Options = Json("""{ "loraRank": 2 }""") },
    ];

    // The mixture stands for real samples; its exact teacher has no activations, so discriminators stand on the fake score.
    private static string[] DistributionMatchingToy =>
    [
        .. ScoreToy, "data.mixture=mixture.csv", "options.discriminator={\"on\":\"fake-score\"}", "options.criticNoise={\"kind\":\"log-normal\"}", "options.criticUpdates=2", "options.ganWeight=0.01",
        "training.optimizer.clipNorm=10", "training.images=153600",
    ];

    private static string[] EncoderToy =>
        [.. ScoreToy, "data.mixture=mixture.csv", "options.critic={\"studentFromImages\":5120,\"ganFromImages\":10240}", "training.optimizer.clipValue=1"];

    // All levels weigh the same: the published (sigma/max)² leaves the modes' own width to the last of a million iterations.
    private static string[] VarDiuToy =>
    [
        "network.hidden=[32,32]", "training.batch=128", "training.sigmaInit=1", "training.ema.halfLifeImages=10000", "training.optimizer.finalFraction=0.05",
        "options.weightPower=0", "options.studentNoise={\"kind\":\"power\",\"min\":0.1,\"max\":2,\"absolute\":true}", "training.images=153600",
    ];

    // For runs of eight steps of eight samples.
    private const string EarlyCritic = """{ "critic": { "studentFromImages": 16, "ganFromImages": 32 } }""";

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    private static MethodCase Sim(string distance) => new("sim", ("fake_score", Roles.FakeScore), [("fake_score", Roles.Student)], [1, 1], [], 0.12)
    {
        Options = new JsonObject { ["distance"] = distance, ["huberC"] = 0.3 },
        SampleGradient = p => distance == "l2" ? Oracles.Sid(p, alpha: 1, lossScale: 100) : Oracles.PseudoHuber(p, 0.3 * Math.Sqrt(2), lossScale: 100),
        StudentNoise = Oracles.KarrasUniform,
    };

    private static MethodCase Sid(double alpha) => new("sid", ("fake_score", Roles.FakeScore), [("fake_score", Roles.Student)], [1, 1], [], 0.12)
    {
        Options = new JsonObject { ["alpha"] = alpha },
        SampleGradient = p => Oracles.Sid(p, alpha, lossScale: 100),
        StudentNoise = Oracles.KarrasUniform,
    };
}
