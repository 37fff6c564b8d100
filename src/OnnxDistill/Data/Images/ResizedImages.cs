using OnnxDistill.Imaging;

namespace OnnxDistill.Data.Images;

/// <summary>Another source's images in the size and channels that are asked for, cropped and resized at each reading. Owns the source.</summary>
internal sealed class ResizedImages : IImageSource
{
    private readonly IImageSource _source;
    private readonly int[] _dims;

    private ResizedImages(IImageSource source, int[] dims) => (_source, _dims) = (source, dims);

    /// <summary>The source itself where it fits the options.</summary>
    public static IImageSource Where(IImageSource source, DataOptions options)
    {
        int[] dims = [options.Channels > 0 ? options.Channels : source.Dims[0], options.Size > 0 ? options.Size : source.Dims[1], options.Size > 0 ? options.Size : source.Dims[2]];
        return dims.SequenceEqual(source.Dims) ? source : new ResizedImages(source, dims);
    }

    public string Name => _source.Name;

    public int Count => _source.Count;

    public IReadOnlyList<int> Dims => _dims;

    public int Labels => _source.Labels;

    public IReadOnlyList<string> LabelNames => _source.LabelNames;

    public IReadOnlyList<string> Notes => _source.Notes;

    public long HeldBytes => _source.HeldBytes;

    public int Label(int index) => _source.Label(index);

    public void Read(int index, Span<float> pixels)
    {
        var (channels, height, width) = (_source.Dims[0], _source.Dims[1], _source.Dims[2]);
        var whole = new float[channels * height * width];
        _source.Read(index, whole);
        // Only a change of channels leaves an image that is no square.
        var crops = (height, width) != (_dims[1], _dims[2]);
        var (cropHeight, cropWidth) = crops ? (Math.Min(height, width), Math.Min(height, width)) : (height, width);
        var first = ((height - cropHeight) / 2 * width) + ((width - cropWidth) / 2);
        var plane = _dims[1] * _dims[2];
        for (var c = 0; c < _dims[0]; c++)
        {
            var channel = channels == 1 ? 0 : _dims[0] == 1 ? -1 : c;
            AreaFilter.Resize(cropHeight, cropWidth, (y, row) => Row(whole, channel, first + (y * width), height * width, row), _dims[1], _dims[2], pixels.Slice(c * plane, plane));
        }
    }

    public void Dispose() => _source.Dispose();

    private static void Row(float[] image, int channel, int at, int plane, Span<float> row)
    {
        if (channel >= 0)
        {
            image.AsSpan((channel * plane) + at, row.Length).CopyTo(row);
            return;
        }
        for (var x = 0; x < row.Length; x++)
            row[x] = (0.299f * image[at + x]) + (0.587f * image[plane + at + x]) + (0.114f * image[(2 * plane) + at + x]);
    }
}
