using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Methods;

/// <summary>Noise levels are quantiles in closed form of the random numbers that are fed.</summary>
[TestClass]
public sealed class NoiseLawTests
{
    private static readonly float[] Uniforms = [0, 0.125f, 0.5f, 0.75f, 0.9999f];
    private static readonly float[] Normals = [-4, -1, 0, 0.5f, 3];

    [TestMethod]
    [DataRow(0.5)]
    [DataRow(1.0)]
    [DataRow(20.0)]
    public void LogNormalLevelsScaleWithTheData(double sigmaData) =>
        AssertLaw(new NoiseLaw { Mean = -0.4, Deviation = 1.6 }, sigmaData, Normals, n => Math.Exp(-0.4 + (1.6 * n)) * sigmaData / 0.5);

    [TestMethod]
    [DataRow(0.5)]
    [DataRow(3.0)]
    public void KarrasLevelsRiseFromTheLowNoiseEnd(double sigmaData)
    {
        var law = new NoiseLaw { Kind = NoiseLawKind.KarrasUniform, TMax = 0.8 };
        double Level(double u) => Math.Pow(Math.Pow(80, 1 / 7.0) + ((1 - (0.8 * u)) * (Math.Pow(0.002, 1 / 7.0) - Math.Pow(80, 1 / 7.0))), 7) * sigmaData / 0.5;
        AssertLaw(law, sigmaData, Uniforms, Level);
        // methods.md 3.5: sigma in [0.002, about 24.4] at sigma_data 0.5.
        Assert.AreEqual(0.002 * sigmaData / 0.5, Level(0), 1e-12);
        Assert.AreEqual(24.4, Level(1) / sigmaData * 0.5, 0.05);
    }

    [TestMethod]
    public void KarrasLevelsBeginWhereTheLowNoiseEndIsLeftOut()
    {
        // DMD's steps 20 to 980 of 1000; the seventh root of a level moves along a line.
        var law = new NoiseLaw { Kind = NoiseLawKind.KarrasUniform, TMin = 0.02, TMax = 0.98 };
        var (low, high) = (Math.Pow(0.002, 1 / 7.0), Math.Pow(80, 1 / 7.0));
        AssertLaw(law, 0.5, Uniforms, u => Math.Pow(low + ((0.02 + (0.96 * u)) * (high - low)), 7));
    }

    [TestMethod]
    [DataRow(0.5)]
    [DataRow(3.0)]
    public void PowerLevelsRunFromMinToMax(double sigmaData) => AssertLaw(new NoiseLaw { Kind = NoiseLawKind.Power, Min = 0.1, Max = 10, Power = 1.5 }, sigmaData, Uniforms,
        u => (0.1 + (Math.Pow(u, 1.5) * 9.9)) * sigmaData / 0.5);

    /// <summary>VarDiU's annealing: near the largest noise first, the law's own exponent in the end.</summary>
    [TestMethod]
    public void AnExponentIsAnnealedAlongALine()
    {
        var law = new NoiseLaw { Kind = NoiseLawKind.Power, Min = 0.1, Max = 20, Power = 1.5, PowerFrom = 0.1, PowerImages = 1400, Absolute = true };
        var b = new GraphBuilder();
        var context = new LossContext(b, new DistillationTask(Uniforms.Length, [2], 23, 1, 0), new Dictionary<string, LossContext.BoundNetwork>());
        b.Output("sigma", law.Sample(context));
        var exponent = context.Feeds.Single(f => f.Kind == FeedKind.Ramp);
        using var session = GraphSession.Create(new OnnxModel(b.Graph));
        foreach (var (seen, power) in new[] { (0L, 0.1), (100, 0.2), (1400, 1.5), (5000, 1.5) })
        {
            var found = session.Run(new Dictionary<string, TensorData>
            {
                ["sigma_draw"] = TensorData.Of(Uniforms, Uniforms.Length),
                [exponent.Name] = TensorData.Scalar((float)exponent.Ramp!.At(seen)), // a ramp's feed has one
            })["sigma"].ToDoubles();
            for (var i = 0; i < Uniforms.Length; i++)
                Assert.AreEqual(0.1 + (Math.Pow(Uniforms[i], power) * 19.9), found[i], 2e-5); // float32 of numbers up to 20
        }
    }

    /// <summary>t uniform in [0.02, 0.5] of beta(t) = 0.1 + 19.9 t: the variance of the noise over that of the signal.</summary>
    [TestMethod]
    [DataRow(0.5)]
    [DataRow(3.0)]
    public void VariancePreservingLevelsFollowTheSchedule(double sigmaData) => AssertLaw(new NoiseLaw { Kind = NoiseLawKind.VpUniform, TMin = 0.02, TMax = 0.5 }, sigmaData, Uniforms, u =>
    {
        var t = 0.02 + (0.48 * u);
        var alphaSquare = Math.Exp(-(0.1 * t) - (19.9 * t * t / 2));
        return Math.Sqrt((1 - alphaSquare) / alphaSquare) * sigmaData / 0.5;
    });

    [TestMethod]
    [DataRow(NoiseLawKind.LogNormal)]
    [DataRow(NoiseLawKind.KarrasUniform)]
    [DataRow(NoiseLawKind.Power)]
    public void AbsoluteLevelsDoNotScale(NoiseLawKind kind)
    {
        var draws = kind == NoiseLawKind.LogNormal ? Normals : Uniforms;
        var law = new NoiseLaw { Kind = kind };
        var published = Levels(law, 0.5, draws);
        CollectionAssert.AreEqual(published, Levels(law with { Absolute = true }, 7, draws));
        CollectionAssert.AreNotEqual(published, Levels(law, 7, draws));
    }

    [TestMethod]
    public void ALawWhoseMinIsNotBelowItsMaxIsRefused()
    {
        Expect.Error<RecipeException>(() => DistillationMethods.Create("sid", new()
        {
            ["studentNoise"] = new System.Text.Json.Nodes.JsonObject { ["kind"] = "karras-uniform", ["min"] = 5, ["max"] = 5 },
        }), "studentNoise", "min below max");
        Expect.Error<RecipeException>(() => DistillationMethods.Create("sid", new()
        {
            ["studentNoise"] = new System.Text.Json.Nodes.JsonObject { ["kind"] = "karras-uniform", ["tMin"] = 0.9, ["tMax"] = 0.8 },
        }), "studentNoise", "tMin 0.9", "below tMax");
    }

    [TestMethod]
    public void ATeacherOfWholeStepsIsAskedOnlyForLevelsThatItKnows()
    {
        var law = new NoiseLaw { Mean = 0, Deviation = 1, Absolute = true };
        var known = new NoiseLevels([0.05, 0.3, 1, 1.5, 30]);
        // exp of -4, -1, 0, 0.5, 3: 0.018, 0.37, 1, 1.65, 20.1.
        CollectionAssert.AreEqual(new double[] { 0.05f, 0.3f, 1, 1.5f, 30 }, Levels(law, 0.5, Normals, known));
    }

    private static void AssertLaw(NoiseLaw law, double sigmaData, float[] draws, Func<double, double> quantile)
    {
        var levels = Levels(law, sigmaData, draws);
        for (var i = 0; i < draws.Length; i++)
        {
            var expected = quantile(draws[i]);
            // float32; the seventh power multiplies relative roundings by seven.
            Assert.AreEqual(expected, levels[i], 3e-6 * expected);
        }
    }

    private static double[] Levels(NoiseLaw law, double sigmaData, float[] draws, NoiseLevels? known = null)
    {
        var b = new GraphBuilder();
        var context = new LossContext(b, new DistillationTask(draws.Length, [2], sigmaData, 1, 0) { Levels = known }, new Dictionary<string, LossContext.BoundNetwork>());
        b.Output("sigma", law.Sample(context));
        var feed = context.Feeds.Single();
        Assert.AreEqual(law.Kind == NoiseLawKind.LogNormal ? FeedKind.Normal : FeedKind.Uniform, feed.Kind);
        using var session = GraphSession.Create(new OnnxModel(b.Graph));
        return session.Run(new Dictionary<string, TensorData> { [feed.Name] = TensorData.Of(draws, draws.Length) })["sigma"].ToDoubles();
    }
}
