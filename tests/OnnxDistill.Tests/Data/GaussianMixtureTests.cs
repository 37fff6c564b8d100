using OnnxDistill.Data;
using OnnxDistill.Graph;

namespace OnnxDistill.Tests.Data;

[TestClass]
public sealed class GaussianMixtureTests
{
    // A few roundings in double of numbers of order one.
    private const double Rounding = 1e-14;

    private static readonly GaussianMixture Uneven = new([3, 1], [[0, 0], [3, 4]], [1, 0.5]);

    [TestMethod]
    public void OneModeHasTheGaussianDensity()
    {
        var mixture = new GaussianMixture([5], [[1, -1, 2]], [2]);
        Assert.AreEqual(1, mixture.Weights[0]);

        // (x - m)^2 / s^2 = (4 + 0 + 16) / 4 = 5.
        Assert.AreEqual(-1.5 * Math.Log(2 * Math.PI) - 3 * Math.Log(2) - 2.5, mixture.LogDensity([3, -1, -2]), Rounding);
    }

    [TestMethod]
    public void TheDensityIsTheWeightedSum()
    {
        double[] point = [2, 3];
        var expected = 0.75 * Math.Exp(-13 / 2.0) / (2 * Math.PI) + 0.25 * Math.Exp(-2 / (2 * 0.25)) / (2 * Math.PI * 0.25);
        Assert.AreEqual(Math.Log(expected), Uneven.LogDensity(point), Rounding);
    }

    [TestMethod]
    public void TheDensityIntegratesToOne()
    {
        const double step = 0.1;
        var sum = 0.0;
        for (var x = -9.0; x <= 9; x += step)
        {
            for (var y = -9.0; y <= 9; y += step)
            {
                sum += Math.Exp(Uneven.LogDensity([x, y])) * step * step;
            }
        }

        // The sum over a grid of a Gaussian errs by about 2 exp(-2 (pi s / step)^2), nothing at these widths; what remains is the tail
        // beyond 9.
        Assert.AreEqual(1, sum, 1e-9);
    }

    [TestMethod]
    public void FarAwayTheLogDensityStaysFinite() =>
        Assert.AreEqual(Math.Log(0.75 / (2 * Math.PI)) - 0.5e12, Uneven.LogDensity([-1e6, 0]), 1e-3); // 16 digits of 5e11

    [TestMethod]
    public void ResponsibilitiesFollowBayes()
    {
        var responsibilities = new double[2];
        Uneven.Responsibilities([2, 3], responsibilities);
        var (first, second) = (0.75 * Math.Exp(-13 / 2.0), 0.25 * Math.Exp(-4) / 0.25);
        Assert.AreEqual(first / (first + second), responsibilities[0], Rounding);
        Assert.AreEqual(1, responsibilities[0] + responsibilities[1], Rounding);
    }

    [TestMethod]
    public void TheMostResponsibleModeNeedNotBeTheNearest()
    {
        // Nearer to the narrow mode in distance, yet 4 of its standard deviations away and only 3 of the wide one's.
        double[] point = [3, 2];
        Assert.AreEqual(1, Uneven.MostResponsibleMode([3, 4]));
        Assert.AreEqual(0, Uneven.MostResponsibleMode(point));
        Assert.AreEqual(4, Uneven.DistanceInStds(point, 1), Rounding);
        Assert.AreEqual(-1, Uneven.MostResponsibleMode([double.NaN, 0]));
    }

    [TestMethod]
    public void SamplesHaveTheMixturesMoments()
    {
        const int count = 100_000;
        var random = new TestRandom(7);
        var samples = Uneven.Sample(random.Uniforms(count), random.Normals(2 * count));
        var meanX = Enumerable.Range(0, count).Average(i => samples[i][0]);
        var varianceX = Enumerable.Range(0, count).Average(i => Math.Pow(samples[i][0] - meanX, 2));

        // Mean 0.25 * 3; variance 0.75 * 1 + 0.25 * 0.25 + 0.75 * 0.25 * 9 = 2.5. Five standard errors each: 1.58 / 316 * 5, and about 3
        // / 316 * 5.
        Assert.AreEqual(0.75, meanX, 0.025);
        Assert.AreEqual(2.5, varianceX, 0.05);
    }

    [TestMethod]
    public void SamplingIsAFunctionOfTheRandomNumbersGiven()
    {
        var samples = Uneven.Sample([0, 0.7499, 0.75, 0.9999], [1, 2, 0, 0, 0, 0, -2, 2]);
        CollectionAssert.AreEqual(new float[] { 1, 2, 0, 0, 3, 4, 2, 5 }, samples.Data);
        Assert.ThrowsExactly<ArgumentException>(static () => Uneven.Sample([0.5], [1]));
    }

    [TestMethod]
    public void TheRingIsARing()
    {
        var ring = GaussianMixture.Ring(8, 2, 0.1);
        Assert.AreEqual(8, ring.ModeCount);
        Assert.AreEqual(2, ring.Mean(0)[0], Rounding);
        Assert.AreEqual(Math.Sqrt(2), ring.Mean(1)[1], Rounding);
        Assert.AreEqual(-2, ring.Mean(4)[0], Rounding);
        Assert.AreEqual(0.1, ring.Stds[3]);
    }

    [TestMethod]
    public void FortyModesAreThoseOfThePaper()
    {
        var random = new TestRandom(0);
        var mixture = GaussianMixture.FortyModes(random.Uniforms(GaussianMixture.FortyModesUniforms));
        Assert.AreEqual(40, mixture.ModeCount);
        Assert.AreEqual(1.3133, mixture.Stds[0], 5e-5); // as printed in methods.md
        Assert.AreEqual(-40, GaussianMixture.FortyModes(new double[80]).Mean(39)[1]);

        // methods.md section 3.9: true samples score at least -7.072 (less three standard errors of 1 / sqrt(20000)), and little more.
        const int count = 20_000;
        var samples = mixture.Sample(random.Uniforms(count), random.Normals(2 * count));
        var mean = Enumerable.Range(0, count).Average(i => mixture.LogDensity([samples[i][0], samples[i][1]]));
        Assert.IsTrue(mean is > -7.072 - 0.021 and < -6.6, $"{mean}");
    }

    [TestMethod]
    public void AMixtureComesBackFromCsvBitForBit()
    {
        using var files = new TestFiles();
        var mixture = GaussianMixture.FortyModes(new TestRandom(3).Uniforms(80));
        GaussianMixtureCsv.Write(files["mixture.csv"], mixture);
        var read = GaussianMixtureCsv.Read(files["mixture.csv"]);
        StringAssert.StartsWith(File.ReadAllText(files["mixture.csv"]), "mode,weight,std,mean_0,mean_1\n0,0.025,1.31326");
        CollectionAssert.AreEqual(mixture.Weights.ToArray(), read.Weights.ToArray());
        CollectionAssert.AreEqual(mixture.Stds.ToArray(), read.Stds.ToArray());
        for (var k = 0; k < mixture.ModeCount; k++)
        {
            CollectionAssert.AreEqual(mixture.Mean(k).ToArray(), read.Mean(k).ToArray());
        }
    }

    [TestMethod]
    [DataRow("weight,mean_0\n1,2\n", "no column 'std'")]
    [DataRow("weight,std\n1,2\n", "no column 'mean_0'")]
    [DataRow("weight,std,mean_0,mean_2\n1,2,3,4\n", "no column 'mean_1'")]
    [DataRow("weight,std,mean_0,color\n1,2,3,4\n", "color")]
    [DataRow("weight,std,mean_0\n1,-2,3\n", "Mode 0: -2 is not a positive finite number")]
    [DataRow("weight,std,mean_0\n", "one weight, mean and standard deviation")]
    public void ABadMixtureFileIsNamed(string text, string inMessage)
    {
        using var files = new TestFiles();
        var path = files.Write("bad.csv", text);
        Expect.Error<ModelFileException>(() => GaussianMixtureCsv.Read(path), inMessage);
    }
}
