using OnnxDistill.Metrics;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Metrics;

[TestClass]
public sealed class FrechetDistanceTests
{
    // Roundings of well-conditioned 3 x 3 matrices.
    private const double Rounding = 1e-13;

    // A zero eigenvalue comes back as some 1e-16 and its root as some 1e-8.
    private const double SingularRounding = 1e-7;

    [TestMethod]
    public void DiagonalGaussiansAddUpAxisByAxis()
    {
        var (mean, covariance) = FrechetDistance.Between(Diagonal([1, 2, 3], [1, 4, 9]), Diagonal([1, 4, 0], [4, 4, 0.25]));
        Assert.AreEqual(4 + 9, mean, Rounding);
        Assert.AreEqual(1 + 0 + 2.5 * 2.5, covariance, Rounding);
    }

    [TestMethod]
    public void CommutingMatricesAddUpInTheirCommonAxes()
    {
        var (_, covariance) = FrechetDistance.Between(Plane(Rotated(0.7, 5, 2)), Plane(Rotated(0.7, 3, 0.5)));
        Assert.AreEqual(Math.Pow(Math.Sqrt(5) - Math.Sqrt(3), 2) + Math.Pow(Math.Sqrt(2) - Math.Sqrt(0.5), 2), covariance, Rounding);
    }

    [TestMethod]
    public void MatricesThatDoNotCommuteFollowTheClosedFormOfThePlane()
    {
        var (a, b) = (Rotated(0.3, 4, 0.5), Rotated(-1.1, 2, 1));

        // tr sqrt(M) = sqrt(tr M + 2 sqrt(det M)) for M = A B, whose eigenvalues are positive.
        var traceOfProduct = a[0] * b[0] + a[1] * b[2] + a[2] * b[1] + a[3] * b[3];
        var determinant = 4 * 0.5 * 2 * 1;
        var expected = 4.5 + 3 - 2 * Math.Sqrt(traceOfProduct + 2 * Math.Sqrt(determinant));
        Assert.AreNotEqual(a[0] * b[1] + a[1] * b[3], b[0] * a[1] + b[1] * a[3], 0.1);
        Assert.AreEqual(expected, FrechetDistance.Between(Plane(a), Plane(b)).CovarianceTerm, Rounding);
        Assert.AreEqual(expected, FrechetDistance.Between(Plane(b), Plane(a)).CovarianceTerm, Rounding);
    }

    [TestMethod]
    public void SingularCovariancesAreNoTrouble()
    {
        // Along v = (3, 4): tr sqrt(e1 e1' v v') = |v1|. The traces are 1 and 25.
        var (_, covariance) = FrechetDistance.Between(Plane([1, 0, 0, 0]), Plane([9, 12, 12, 16]));
        Assert.AreEqual(1 + 25 - 2 * 3, covariance, SingularRounding);
        Assert.AreEqual(25, FrechetDistance.Between(Plane([0, 0, 0, 0]), Plane([9, 12, 12, 16])).CovarianceTerm, SingularRounding);
    }

    [TestMethod]
    public void FewerSamplesThanFeaturesAreAtDistanceZeroFromThemselves()
    {
        var features = ReferenceStatistics.Of(new([40], new TestRandom(5).FloatNormals(10 * 40)));

        // Thirty-one zero eigenvalues, each worth up to 1e-7.
        Assert.AreEqual(0, FrechetDistance.Between(features, features).CovarianceTerm, 31 * SingularRounding);
    }

    [TestMethod]
    public void DifferentExtractorsAreRefused() =>
        Expect.Error<ArgumentException>(
            static () => FrechetDistance.Between(Diagonal([0], [1]), Diagonal([0, 0], [1, 1])), "1 and 2 features");

    private static ReferenceStatistics Diagonal(double[] mean, double[] variances)
    {
        var covariance = new double[mean.Length * mean.Length];
        for (var i = 0; i < mean.Length; i++)
        {
            covariance[i * mean.Length + i] = variances[i];
        }

        return new ReferenceStatistics(100, mean, covariance);
    }

    private static ReferenceStatistics Plane(double[] covariance) => new(100, [0, 0], covariance);

    private static double[] Rotated(double angle, double first, double second)
    {
        var (s, c) = Math.SinCos(angle);
        return [first * c * c + second * s * s, (first - second) * s * c, (first - second) * s * c, first * s * s + second * c * c];
    }
}
