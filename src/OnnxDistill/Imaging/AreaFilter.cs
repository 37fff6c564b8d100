namespace OnnxDistill.Imaging;

/// <summary>
/// Resizes by area: an output pixel is the mean of the input under it, weighted by how much of each input pixel it covers (what PIL calls BOX and OpenCV
/// INTER_AREA). Exact for constants and for whole factors, and no frequency survives that the output could not hold better than a mean can tell. Enlarging
/// gives the nearest pixel, blended where two meet.
/// </summary>
internal static class AreaFilter
{
    /// <summary>Resizes one plane.</summary>
    /// <param name="height">Rows of the input.</param>
    /// <param name="width">Columns of the input.</param>
    /// <param name="row">Writes a row of the input; asked once for each, from the top.</param>
    /// <param name="outHeight">Rows of the result.</param>
    /// <param name="outWidth">Columns of the result.</param>
    /// <param name="result">The result, row-major.</param>
    public static void Resize(int height, int width, Action<int, Span<float>> row, int outHeight, int outWidth, Span<float> result)
    {
        var (down, across) = (new Axis(height, outHeight), new Axis(width, outWidth));
        var (whole, narrow) = (new float[width], new float[outWidth]);
        result.Clear();
        var first = 0;
        for (var y = 0; y < height; y++)
        {
            row(y, whole);
            across.Sum(whole, narrow);
            while (down.End(first) <= y)
                first++;
            for (var o = first; o < outHeight && down.Start(o) <= y; o++)
            {
                var weight = down.Weight(o, y);
                var sums = result.Slice(o * outWidth, outWidth);
                for (var x = 0; x < outWidth; x++)
                    sums[x] += weight * narrow[x];
            }
        }
    }

    // Output o covers [o in, (o + 1) in) where input i covers [i out, (i + 1) out): whole numbers, so that no edge is missed by rounding.
    private sealed class Axis
    {
        private readonly int _input, _output, _most;
        private readonly float[] _weights;

        public Axis(int input, int output)
        {
            (_input, _output, _most) = (input, output, (input / output) + 2);
            _weights = new float[output * _most];
            for (var o = 0; o < output; o++)
                for (var i = Start(o); i < End(o); i++)
                    _weights[(o * _most) + i - Start(o)] = (float)(Math.Min((o + 1L) * input, (i + 1L) * output) - Math.Max((long)o * input, (long)i * output)) / input;
        }

        public int Start(int o) => (int)((long)o * _input / _output);

        public int End(int o) => (int)((((o + 1L) * _input) + _output - 1) / _output);

        public float Weight(int o, int i) => _weights[(o * _most) + i - Start(o)];

        public void Sum(ReadOnlySpan<float> line, Span<float> sums)
        {
            for (var o = 0; o < _output; o++)
            {
                var (sum, start, end) = (0f, Start(o), End(o));
                var weights = _weights.AsSpan(o * _most, end - start);
                var covered = line[start..end];
                for (var i = 0; i < covered.Length; i++)
                    sum += weights[i] * covered[i];
                sums[o] = sum;
            }
        }
    }
}
