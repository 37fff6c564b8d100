using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Networks;

/// <summary>The MLP and its preconditioning against the formulas in double.</summary>
[TestClass]
public sealed class MlpTests
{
    private static readonly TeacherCard Points = new() { Data = "points" };
    private static readonly float[] Sigma = [0.002f, 0.1f, 1, 80];

    [TestMethod]
    public void TheDefaultIsVarDiusSize()
    {
        // 4-400-400-400-400-2 with biases.
        var denoiser = Mlp.Build(new MlpOptions(), Points, 2);
        Assert.AreEqual((4 * 400) + 400 + (3 * ((400 * 400) + 400)) + (400 * 2) + 2, denoiser.AtAnyBatch().ParameterCount);
        Assert.AreEqual(484_002, denoiser.AtBatch(2).ParameterCount);
        Assert.HasCount(10, denoiser.AtBatch(2).Parameters);
    }

    [TestMethod]
    [DataRow(0.5)]
    [DataRow(3.0)]
    public void PreconditioningIsTheTablesOne(double sigmaData)
    {
        var b = new GraphBuilder();
        var x = b.Input("x", ElementType.Float32, Shape.Of(Sigma.Length, 2));
        var sigma = b.Input("sigma", ElementType.Float32, Shape.Of(Sigma.Length));
        // F = 3 c_in x + 7 c_noise, so that all four coefficients show.
        b.Output("d", EdmPreconditioning.Apply(b, x, sigma, sigmaData, (scaled, noise) => b.Add(b.Mul(scaled, 3), b.Mul(noise, 7))));
        var points = new TestRandom(1).FloatNormals(2 * Sigma.Length);
        var found = Run(new OnnxModel(b.Graph), points)["d"];
        for (var i = 0; i < points.Length; i++)
            AssertClose(Edm(points[i], Sigma[i / 2], sigmaData, (scaled, noise) => (3 * scaled) + (7 * noise)), found[i]);
    }

    [TestMethod]
    public void TheNetworkIsTheFormula()
    {
        const double sigmaData = 0.8;
        var denoiser = Mlp.Build(new MlpOptions { Hidden = [5, 3], Seed = 4 }, Points with { SigmaData = sigmaData }, 2);
        var weights = denoiser.AtAnyBatch().Parameters.ToDictionary(p => p.Name, p => p.Constant!.ToDoubles()); // a parameter is an initializer
        double[] Layer(string name, double[] inputs, bool activate)
        {
            var bias = weights[$"{name}.bias"];
            var sums = bias.Select((c, j) => c + inputs.Select((v, i) => v * weights[$"{name}.weight"][(i * bias.Length) + j]).Sum());
            return [.. sums.Select(s => activate ? s / (1 + Math.Exp(-s)) : s)];
        }
        var points = new TestRandom(2).FloatNormals(2 * Sigma.Length);
        var found = Run(denoiser.Model, points)[Denoiser.Denoised];
        for (var i = 0; i < Sigma.Length; i++)
        {
            double sigma = Sigma[i];
            var cIn = 1 / Math.Sqrt((sigma * sigma) + (sigmaData * sigmaData));
            var noise = Math.Log(sigma) / 4;
            var f = Layer("output", Layer("hidden.1", Layer("hidden.0", [cIn * points[2 * i], cIn * points[(2 * i) + 1], noise, noise], true), true), false);
            for (var j = 0; j < 2; j++)
                AssertClose(Edm(points[(2 * i) + j], sigma, sigmaData, (_, _) => f[j]), found[(2 * i) + j]);
        }
    }

    [TestMethod]
    public void TheSeedDecidesEveryWeight()
    {
        static byte[] Built(long seed) => OnnxWriter.ToBytes(Mlp.Build(new MlpOptions { Hidden = [16, 16], Seed = seed }, Points, 2).Model);
        CollectionAssert.AreEqual(Built(1), Built(1));
        CollectionAssert.AreNotEqual(Built(1), Built(2));
        var parameters = Mlp.Build(new MlpOptions { Hidden = [400, 400] }, Points, 2).AtAnyBatch().Parameters;
        // Streams are named after the layer: no two are alike, and each fills ±1/sqrt(fan-in).
        Assert.HasCount(parameters.Count, parameters.Select(p => p.Constant!.ToDoubles()[0]).Distinct()); // a parameter is an initializer
        var hidden = parameters.Single(p => p.Name == "hidden.1.weight").Constant!.ToDoubles();
        Assert.AreEqual(1 / Math.Sqrt(400), hidden.Max(), 1e-5); // 160,000 draws come that close to the bound
        Assert.AreEqual(-1 / Math.Sqrt(400), hidden.Min(), 1e-5);
        Assert.AreEqual(0, hidden.Average(), 4 / Math.Sqrt(3 * 400) / Math.Sqrt(hidden.Length)); // four standard errors
    }

    [TestMethod]
    public void AnyDimensionWorks()
    {
        var denoiser = Mlp.Build(new MlpOptions { Hidden = [4] }, Points, 5);
        CollectionAssert.AreEqual(new long[] { 5 }, denoiser.DataShape);
        Assert.AreEqual((10 * 4) + 4 + (4 * 5) + 5, denoiser.AtAnyBatch().ParameterCount);
    }

    // Karras et al. 2022, table 1.
    private static double Edm(double x, double sigma, double sigmaData, Func<double, double, double> f)
    {
        var total = (sigma * sigma) + (sigmaData * sigmaData);
        return (sigmaData * sigmaData / total * x) + (sigma * sigmaData / Math.Sqrt(total) * f(x / Math.Sqrt(total), Math.Log(sigma) / 4));
    }

    // A few roundings of float32.
    private static void AssertClose(double expected, double found) => Assert.AreEqual(expected, found, 2e-6 * Math.Max(1, Math.Abs(expected)));

    private static Dictionary<string, double[]> Run(OnnxModel model, float[] points)
    {
        using var session = GraphSession.Create(model);
        return session.Run(new Dictionary<string, TensorData> { ["x"] = TensorData.Of(points, Sigma.Length, 2), ["sigma"] = TensorData.Of(Sigma, Sigma.Length) })
            .ToDictionary(r => r.Key, r => r.Value.ToDoubles());
    }
}
