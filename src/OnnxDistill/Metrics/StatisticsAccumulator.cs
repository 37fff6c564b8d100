using System.Numerics;
using System.Runtime.InteropServices;

namespace OnnxDistill.Metrics;

/// <summary>Mean and covariance in one streaming pass, in double. Rows are taken in blocks; each block is centred on its own mean and
/// merged by the pairwise update of Chan, Golub and LeVeque (1979), so a large common offset costs no digits. How the rows are split over
/// calls changes the last bits only. Not safe for several threads (it uses all cores itself).</summary>
public sealed class StatisticsAccumulator
{
    private const int BlockRows = 256;

    // A tile of columns of a whole block stays in the level 2 cache while every row of the result passes over it.
    private const int TileColumns = 256;

    private readonly int _dimension;
    private readonly double[] _mean;
    private readonly double[] _scatter;
    private readonly double[] _block;
    private readonly double[] _blockMean;
    private long _count;

    /// <summary>An empty accumulator for rows of that many features.</summary>
    public StatisticsAccumulator(int dimension)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        _dimension = dimension;
        _mean = new double[dimension];
        _blockMean = new double[dimension];
        _block = new double[BlockRows * dimension];
        _scatter = new double[checked(dimension * dimension)];
    }

    /// <summary>Takes in rows of features, one after the other.</summary>
    public void Add(ReadOnlySpan<float> rows)
    {
        if (rows.Length % _dimension != 0)
        {
            throw new ArgumentException($"{rows.Length} values are no whole number of rows of {_dimension} features.", nameof(rows));
        }

        for (var start = 0; start < rows.Length; start += BlockRows * _dimension)
        {
            AddBlock(rows.Slice(start, Math.Min(BlockRows * _dimension, rows.Length - start)));
        }
    }

    /// <summary>The statistics of all rows so far.</summary>
    /// <exception cref="InvalidOperationException">There were fewer than two rows, so there is no covariance.</exception>
    public ReferenceStatistics ToStatistics()
    {
        if (_count < 2)
        {
            throw new InvalidOperationException($"A covariance needs at least two samples, found {_count}.");
        }

        var covariance = new double[_scatter.Length];
        for (var i = 0; i < _dimension; i++)
        {
            for (var j = i; j < _dimension; j++)
            {
                covariance[i * _dimension + j] = covariance[j * _dimension + i] = _scatter[i * _dimension + j] / (_count - 1);
            }
        }

        return new ReferenceStatistics(_count, [.. _mean], covariance);
    }

    private void AddBlock(ReadOnlySpan<float> rows)
    {
        var rowCount = rows.Length / _dimension;
        CentreBlock(rows, rowCount);
        var total = _count + rowCount;
        var between = (double)_count * rowCount / total;
        Parallel.For(0, _dimension, row => AddScatterRow(row, rowCount, between));
        for (var j = 0; j < _dimension; j++)
        {
            _mean[j] += (_blockMean[j] - _mean[j]) * rowCount / total;
        }

        _count = total;
    }

    private void CentreBlock(ReadOnlySpan<float> rows, int rowCount)
    {
        _blockMean.AsSpan().Clear();
        for (var i = 0; i < rows.Length; i++)
        {
            _blockMean[i % _dimension] += rows[i];
        }

        for (var j = 0; j < _dimension; j++)
        {
            _blockMean[j] /= rowCount;
        }

        for (var i = 0; i < rows.Length; i++)
        {
            _block[i] = rows[i] - _blockMean[i % _dimension];
        }
    }

    /// <summary>Adds the block's part of one row of the scatter matrix, from the diagonal on (the rest follows by symmetry).</summary>
    private void AddScatterRow(int row, int rowCount, double between)
    {
        var sums = _scatter.AsSpan(row * _dimension, _dimension);
        var shift = (_blockMean[row] - _mean[row]) * between;
        for (var j = row; j < _dimension; j++)
        {
            sums[j] += shift * (_blockMean[j] - _mean[j]);
        }

        for (var start = row; start < _dimension; start += TileColumns)
        {
            var length = Math.Min(TileColumns, _dimension - start);
            for (var r = 0; r < rowCount; r++)
            {
                AddScaled(_block.AsSpan(r * _dimension + start, length), _block[r * _dimension + row], sums.Slice(start, length));
            }
        }
    }

    private static void AddScaled(ReadOnlySpan<double> values, double factor, Span<double> sums)
    {
        var wide = MemoryMarshal.Cast<double, Vector<double>>(values);
        var wideSums = MemoryMarshal.Cast<double, Vector<double>>(sums);
        var wideFactor = new Vector<double>(factor);
        for (var i = 0; i < wide.Length; i++)
        {
            wideSums[i] += wideFactor * wide[i];
        }

        for (var i = wide.Length * Vector<double>.Count; i < values.Length; i++)
        {
            sums[i] += factor * values[i];
        }
    }
}
