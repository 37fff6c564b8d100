using System.IO.Compression;
using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Metrics;

/// <summary>Statistics of a data set's features as an .npz, in the form in which FID's references are published: the mean under <c>mu</c>, the covariance under
/// <c>sigma</c>; beside them <c>count</c>, the number of samples, which other tools do not write and need not be there.</summary>
public static class StatisticsFile
{
    private const string Mean = "mu";
    private const string Covariance = "sigma";
    private const string Count = "count";

    // Covariances that were added up in float32 are symmetric to its rounding only.
    private const double Asymmetry = 1e-4;

    /// <summary>Whether a file is an archive with a mean and a covariance. False for a file that is missing or no archive.</summary>
    public static bool IsOne(string path)
    {
        try
        {
            using var archive = File.Exists(path) ? ZipFile.OpenRead(path) : null;
            return archive?.GetEntry($"{Mean}.npy") is not null && archive.GetEntry($"{Covariance}.npy") is not null;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>Reads statistics; other arrays of the file are passed over.</summary>
    /// <exception cref="ModelFileException">The file is missing or damaged, lacks one of the two, or they do not fit together.</exception>
    public static ReferenceStatistics Read(string path)
    {
        var arrays = NpzFile.Read(path);
        if (!arrays.TryGetValue(Mean, out var mean) || !arrays.TryGetValue(Covariance, out var covariance))
        {
            throw new ModelFileException(
                $"'{path}' holds {string.Join(", ", arrays.Keys)}; statistics of features are the arrays '{Mean}' (mean) and '{Covariance}' (covariance).");
        }

        if (mean.Type is not (ElementType.Float32 or ElementType.Float64) || covariance.Type is not (ElementType.Float32 or ElementType.Float64)
            || mean.Dims.Length != 1 || covariance.Dims.Length != 2 || covariance.Dims.Any(d => d != mean.Dims[0]))
        {
            throw new ModelFileException(
                $"'{path}': '{Mean}' is {mean.Type}{mean.Shape} and '{Covariance}' {covariance.Type}{covariance.Shape}; expected floats [d] and [d, d], d the number of features.");
        }

        var count = arrays.TryGetValue(Count, out var found) && found is { Type: ElementType.Int64 or ElementType.Int32, ElementCount: 1 } ? found.ToLongs()[0] : 0;
        return Checked(new ReferenceStatistics(count, mean.ToDoubles(), covariance.ToDoubles()), path);
    }

    /// <summary>Writes statistics in double, whole or not at all; the folder is created.</summary>
    /// <exception cref="ModelFileException">The place cannot be written to.</exception>
    public static void Write(string path, ReferenceStatistics statistics)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        NpzFile.Write(path,
        [
            new(Mean, TensorData.Of(statistics.Mean, statistics.Dimension)),
            new(Covariance, TensorData.Of(statistics.Covariance, statistics.Dimension, statistics.Dimension)),
            new(Count, TensorData.Of([statistics.Count], [])),
        ]);
    }

    // The distance takes the matrix for symmetric without looking; what is not would give a number that means nothing.
    private static ReferenceStatistics Checked(ReferenceStatistics statistics, string path)
    {
        var (dimension, covariance) = (statistics.Dimension, statistics.Covariance);
        if (!statistics.Mean.All(double.IsFinite) || !covariance.All(double.IsFinite))
        {
            throw new ModelFileException($"'{path}' holds numbers that are not finite; write the statistics again.");
        }

        for (var i = 0; i < dimension; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var (below, above) = (covariance[i * dimension + j], covariance[j * dimension + i]);
                if (Math.Abs(below - above) > Asymmetry * Math.Sqrt(Math.Abs(covariance[i * dimension + i] * covariance[j * dimension + j])))
                {
                    throw new ModelFileException($"'{path}': '{Covariance}' is no covariance: [{i}, {j}] is {below}, [{j}, {i}] is {above}, expected the same.");
                }
            }
        }

        return statistics;
    }
}
