using OnnxDistill.Data;

namespace OnnxDistill.Metrics;

/// <summary>What a classifier makes of samples: a row of class probabilities each, in double. Its output may be probabilities, or logits or log-probabilities, which the
/// softmax turns into them.</summary>
public sealed class ClassProbabilities
{
    // Sums of float32 probabilities.
    private const double SumTolerance = 1e-3;

    private readonly double[][] _rows;

    /// <summary>The probabilities of a classifier's output, one row a sample. Rows without a negative number that all sum to 1 are taken as they are.</summary>
    /// <exception cref="ArgumentException">It has one class only.</exception>
    public ClassProbabilities(SampleSet output)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (output.SampleSize < 2)
            throw new ArgumentException($"A classifier gives a row of at least two classes a sample, found {output.SampleSize}.", nameof(output));
        Count = output.SampleSize;
        _rows = [.. Enumerable.Range(0, output.Count).Select(i => Array.ConvertAll(output[i].ToArray(), static v => (double)v))];
        if (!_rows.All(static row => row.All(static p => p >= 0) && Math.Abs(row.Sum() - 1) <= SumTolerance))
            _rows = Array.ConvertAll(_rows, Softmax);
    }

    /// <summary>Number of classes.</summary>
    public int Count { get; }

    /// <summary>Number of samples.</summary>
    public int Samples => _rows.Length;

    /// <summary>The probabilities of one sample.</summary>
    public ReadOnlySpan<double> this[int index] => _rows[index];

    /// <summary>The most probable class of a sample, the first of equals; -1 where the numbers are not finite.</summary>
    public int Best(int index) => _rows[index].All(double.IsFinite) ? Array.IndexOf(_rows[index], _rows[index].Max()) : -1;

    private static double[] Softmax(double[] row)
    {
        var largest = row.Max();
        var powers = Array.ConvertAll(row, value => Math.Exp(value - largest));
        var sum = powers.Sum();
        return Array.ConvertAll(powers, power => power / sum);
    }
}
