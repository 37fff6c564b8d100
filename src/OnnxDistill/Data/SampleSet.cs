namespace OnnxDistill.Data;

/// <summary>Samples of one shape in one row-major float array: points, images or features.</summary>
public sealed class SampleSet
{
    private readonly int[] _dims;

    /// <summary>Wraps an array without copying it.</summary>
    /// <param name="dims">The shape of one sample, e.g. [2] for a point or [1, 28, 28] for an image.</param>
    /// <param name="data">All samples, one after the other; its length must be a multiple of the sample's size.</param>
    public SampleSet(ReadOnlySpan<int> dims, float[] data)
    {
        ArgumentNullException.ThrowIfNull(data);
        _dims = dims.ToArray();
        SampleSize = SizeOf(_dims);
        if (data.Length % SampleSize != 0)
        {
            throw new ArgumentException(
                $"{data.Length} values are no whole number of samples of shape [{string.Join(", ", _dims)}] ({SampleSize} values each).",
                nameof(data));
        }

        Data = data;
        Count = data.Length / SampleSize;
    }

    /// <summary>How many samples there are.</summary>
    public int Count { get; }

    /// <summary>The shape of one sample.</summary>
    public ReadOnlySpan<int> Dims => _dims;

    /// <summary>How many values one sample has: the product of <see cref="Dims"/>.</summary>
    public int SampleSize { get; }

    /// <summary>The values themselves, not a copy: sample i starts at i * <see cref="SampleSize"/>.</summary>
    public float[] Data { get; }

    /// <summary>The values of one sample.</summary>
    public ReadOnlySpan<float> this[int index] => Data.AsSpan(checked(index * SampleSize), SampleSize);

    /// <summary>One sample in double precision, for sums that must not round.</summary>
    public void CopyTo(int index, Span<double> values)
    {
        var sample = this[index];
        for (var i = 0; i < sample.Length; i++)
        {
            values[i] = sample[i];
        }
    }

    /// <summary>The class of each sample; null where there are none.</summary>
    public long[]? Labels { get; init; }

    /// <summary>The first samples; this set itself when it has no more than that.</summary>
    public SampleSet Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return count >= Count ? this : new SampleSet(_dims, Data[..(count * SampleSize)]) { Labels = Labels?[..count] };
    }

    /// <summary>Copies of the samples of these indices, in their order.</summary>
    public SampleSet Select(IEnumerable<int> indices)
    {
        int[] chosen = [.. indices];
        var data = new float[checked(chosen.Length * SampleSize)];
        for (var i = 0; i < chosen.Length; i++)
            this[chosen[i]].CopyTo(data.AsSpan(i * SampleSize));
        return new SampleSet(_dims, data) { Labels = Labels is { } labels ? Array.ConvertAll(chosen, i => labels[i]) : null };
    }

    private static int SizeOf(int[] dims)
    {
        var size = 1L;
        foreach (var dim in dims)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(dim, 1, nameof(dims));
            size *= dim;
            ArgumentOutOfRangeException.ThrowIfGreaterThan(size, Array.MaxLength, nameof(dims));
        }

        return (int)size;
    }
}
