using OnnxDistill.Data;
using OnnxDistill.Metrics;

namespace OnnxDistill.Tests.Metrics;

/// <summary>One number of one metric whose value is known in closed form.</summary>
/// <param name="Name">The metric's full name.</param>
/// <param name="Number">Which of its numbers.</param>
/// <param name="Inputs">What it judges.</param>
/// <param name="Expected">The known value.</param>
/// <param name="Tolerance">How exact it must be, with a word on why at the case.</param>
public sealed record MetricCase(string Name, string Number, MetricInputs Inputs, double Expected, double Tolerance)
{
    public override string ToString() => $"{Name}.{Number} = {Expected:G6}";
}

/// <summary>At least one row for each family of the catalog.</summary>
internal static class MetricCases
{
    // A few roundings in double.
    private const double Rounding = 1e-13;

    // Two modes of weights 3/4 and 1/4 on a line, each with standard deviation 1.
    private static readonly GaussianMixture TwoModes = new([3, 1], [[0], [100]], [1, 1]);

    public static readonly MetricCase[] All =
    [
        // Two of eight samples on the light mode, its exact share; one of eight 4.5 standard deviations off, one not a number.
        Coverage("covered", 2, 0, 0, 1, -1, 100, 99, 4.5f, float.NaN),
        Coverage("off_mode", 0.25, 0, 0, 1, -1, 100, 99, 4.5f, float.NaN),
        Coverage("smallest_ratio", 0.5 / 0.75, 0, 0, 1, -1, 100, 99, 4.5f, float.NaN),
        Coverage("largest_ratio", 1, 0, 0, 1, -1, 100, 99, 4.5f, float.NaN),

        // All on the heavy mode: a share of 4/3 of its weight, and none on the light one.
        Coverage("covered", 1, 0, 0, 0, 0, 0, 0, 0, 0),
        Coverage("smallest_ratio", 0, 0, 0, 0, 0, 0, 0, 0, 0),
        Coverage("largest_ratio", 4 / 3.0, 0, 0, 0, 0, 0, 0, 0, 0),

        // Two of four with the class that was asked for; the third's numbers are not finite.
        new("accuracy4", "accuracy", Classes([0, 1, 1, 0], [1, 0], [1, 0], [float.NaN, 0], [0.75f, 0.25f]), 0.5, 0),
        new("accuracy2", "confidence", Classes([0, 1], [0.75f, 0.25f], [0.5f, 0.5f]), (0.75 + 0.5) / 2, Rounding),

        // Two samples are two parts of one each: nothing to tell apart. Twenty are ten parts of two, sure of two classes.
        new("is2", "score", Classes([], [1, 0], [0, 1]), 1, Rounding),
        new("is20", "score", Classes([], [.. Enumerable.Range(0, 20).Select(static i => i % 2 == 0 ? new float[] { 1, 0 } : [0, 1])]), 2, Rounding),
        new("is20", "deviation", Classes([], [.. Enumerable.Range(0, 20).Select(static i => i % 2 == 0 ? new float[] { 1, 0 } : [0, 1])]), 0, Rounding),

        // Kernels (1 + xy)^3: samples 0, 1 have 1 between them, the reference 1, 2 has 27; across 1, 1, 8, 27.
        new("kid2", "distance", new(Line(0, 1)) { ReferenceFeatures = Line(1, 2) }, 1 + 27 - (2 * 37 / 4.0), Rounding),
        new("kid2", "deviation", new(Line(0, 1)) { ReferenceFeatures = Line(1, 2) }, 0, Rounding),

        // Third neighbours of 0, 1, 2, 3 are 3, 2, 2, 3 away: the balls reach from -3 to 6. Those of 5, 6, 7, 50 are 45, 44, 43, 45 away.
        new("pr4", "precision", new(Line(5, 6, 7, 50)) { ReferenceFeatures = Line(0, 1, 2, 3) }, 0.5, 0),
        new("pr4", "recall", new(Line(5, 6, 7, 50)) { ReferenceFeatures = Line(0, 1, 2, 3) }, 1, 0),
        new("pr4", "precision", new(Line(float.NaN, 2, 3, float.PositiveInfinity)) { ReferenceFeatures = Line(0, 1, 2, 3) }, 0.5, 0),

        // Samples 0, 2: mean 1, variance 2. Reference: mean 4, variance 8. (4 - 1)^2 + (sqrt 8 - sqrt 2)^2.
        new("fd2", "distance", new(Line(0, 2)) { Statistics = new(10, [4], [8]) }, 11, Rounding),
        new("fd2", "mean_term", new(Line(0, 2)) { Statistics = new(10, [4], [8]) }, 9, Rounding),
        new("fd2", "covariance_term", new(Line(0, 2)) { Statistics = new(10, [4], [8]) }, 2, Rounding),
        new("fd2", "distance", new(Line(float.NaN, 2)) { Statistics = new(10, [4], [8]) }, double.NaN, 0),

        // ln(3/4) - ln(2 pi)/2 at the mean, 1/2 less one standard deviation away.
        new("logp2", "mean", new(Line(0, 1)) { Mixture = TwoModes }, Math.Log(0.75) - 0.5 * Math.Log(2 * Math.PI) - 0.25, Rounding),
        new("logp2", "standard_error", new(Line(0, 1)) { Mixture = TwoModes }, 0.25, Rounding),
        new("logp2", "mean", new(Line(0, float.NaN)) { Mixture = TwoModes }, double.NaN, 0),

        // Points at 0 and at 1.5, twice each: 2 - 2 k(1.5), averaged over the five bandwidths. The chain of squares loses up to 256
        // roundings.
        new("mmd2", "mmd2", new(Line(0, 0)) { Reference = Line(1.5f, 1.5f) }, TwoPoints(1.5), Rounding),
        new("mmd2", "mmd", new(Line(0, 0)) { Reference = Line(1.5f, 1.5f) }, Math.Sqrt(TwoPoints(1.5)), Rounding),
        new("mmd2", "mmd2", new(Line(-1, 3)) { Reference = Line(3, -1) }, 0, Rounding),
        new("mmd2", "mmd2", new(Line(0, float.PositiveInfinity)) { Reference = Line(3, -1) }, double.NaN, 0),

        // A thousand samples, so that the name with k is used too; all equal, far away: the kernels between the sets vanish.
        new("mmd1k", "mmd2", new(Line(new float[1000])) { Reference = Line([.. Enumerable.Repeat(1e6f, 1000)]) }, 2, Rounding),
    ];

    private static MetricInputs Classes(long[] labels, params float[][] rows) =>
        new(Line(new float[rows.Length])) { Classes = new ClassProbabilities(new SampleSet([rows[0].Length], [.. rows.SelectMany(static r => r)])), Labels = labels };

    private static SampleSet Line(params float[] points) => new([1], points);

    private static MetricCase Coverage(string number, double expected, params float[] points) =>
        new("coverage8", number, new(Line(points)) { Mixture = TwoModes }, expected, Rounding);

    private static double TwoPoints(double distance)
    {
        double[] bandwidths = [0.25, 0.5, 1, 2, 4];
        return bandwidths.Average(b => 2 - 2 * Math.Exp(-distance * distance / (2 * b * b)));
    }
}
