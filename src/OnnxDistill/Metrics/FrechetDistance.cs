using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;

namespace OnnxDistill.Metrics;

/// <summary>Frechet distance between Gaussians fitted to the features of samples and of a reference (Heusel et al. 2017, arXiv
/// 1706.08500; with Inception-v3 features this is FID): |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^1/2. Biased upwards for few samples:
/// compare equal counts only.</summary>
/// <remarks>
/// <c>name.distance</c> is the distance, <c>name.mean_term</c> and <c>name.covariance_term</c> its two parts. Features that are not
/// finite make it NaN.
/// </remarks>
public sealed class FrechetDistance : IMetric
{
    /// <summary>The distance over that many samples, in the features of that extractor (its short name; empty when it has none).</summary>
    public FrechetDistance(int sampleCount, string extractor = "")
    {
        Name = MetricCatalog.NameOf("fd", sampleCount, extractor);
        SampleCount = sampleCount;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int SampleCount { get; }

    /// <inheritdoc/>
    public MetricNeeds Needs => MetricNeeds.Features | MetricNeeds.Statistics;

    /// <inheritdoc/>
    public MetricResult Measure(MetricInputs inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var reference = inputs.StatisticsFor(this);
        var (meanTerm, covarianceTerm) = Between(ReferenceStatistics.Of(inputs.SamplesFor(this)), reference);
        return new MetricResult(
            Name, ("distance", meanTerm + covarianceTerm), ("mean_term", meanTerm), ("covariance_term", covarianceTerm));
    }

    /// <summary>The two parts of the distance between two sets of statistics.</summary>
    public static (double MeanTerm, double CovarianceTerm) Between(ReferenceStatistics first, ReferenceStatistics second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.Dimension != second.Dimension)
        {
            throw new ArgumentException(
                $"The two sides have {first.Dimension} and {second.Dimension} features; they must come from the same extractor.");
        }

        // Eigenvalue iterations need not end on numbers that are not finite.
        if (!IsFinite(first) || !IsFinite(second))
        {
            return (double.NaN, double.NaN);
        }

        var meanTerm = first.Mean.Zip(second.Mean, static (a, b) => (a - b) * (a - b)).Sum();
        var (left, right) = (ToMatrix(first), ToMatrix(second));
        return (meanTerm, left.Trace() + right.Trace() - 2 * TraceOfRootOfProduct(left, right));
    }

    /// <summary>tr (S1 S2)^1/2 as the sum of the roots of the eigenvalues of S1^1/2 S2 S1^1/2, which is similar to S1 S2 but symmetric:
    /// real eigenvalues, and no trouble when S1 is singular. Rounding can make a zero eigenvalue slightly negative; it counts as
    /// zero.</summary>
    private static double TraceOfRootOfProduct(Matrix<double> left, Matrix<double> right)
    {
        var eigen = left.Evd(Symmetricity.Symmetric);
        var roots = eigen.EigenValues.Map(static value => Math.Sqrt(Math.Max(0, value.Real)));

        // With S1 = V L V', the matrix L^1/2 V' S2 V L^1/2 has the same eigenvalues as S1^1/2 S2 S1^1/2 and saves a product.
        var scaled = eigen.EigenVectors.Multiply(DiagonalMatrix.OfDiagonal(roots.Count, roots.Count, roots));
        var product = scaled.TransposeThisAndMultiply(right * scaled);
        var symmetric = (product + product.Transpose()) * 0.5;
        return symmetric.Evd(Symmetricity.Symmetric).EigenValues.Sum(static value => Math.Sqrt(Math.Max(0, value.Real)));
    }

    private static bool IsFinite(ReferenceStatistics statistics) =>
        statistics.Mean.All(double.IsFinite) && statistics.Covariance.All(double.IsFinite);

    // The constructor wraps the array column by column; the matrix is symmetric, so that is the same.
    private static DenseMatrix ToMatrix(ReferenceStatistics statistics) =>
        new(statistics.Dimension, statistics.Dimension, statistics.Covariance);
}
