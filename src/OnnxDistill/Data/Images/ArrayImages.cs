using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Data.Images;

/// <summary>Images of a numpy array: bytes 0..255 or floats in a stated range, [N, H, W], [N, H, W, C] or [N, C, H, W].</summary>
internal sealed class ArrayImages : IImageSource
{
    // Samples of a generator go a little beyond the range that they are meant for; other numbers mean that the range is another.
    private const double Overshoot = 0.25;

    private readonly TensorData _array;
    private readonly ImageLabels _labels;
    private readonly bool _channelsLast;
    private readonly double _black, _scale;

    private ArrayImages(TensorData array, ImageLabels labels, DataOptions options, string where)
    {
        (_array, _labels, Name) = (array, labels, Path.GetFileName(options.Images));
        if (array is not { Type: ElementType.UInt8 or ElementType.Float32, Dims: { Length: 3 or 4 } dims } || array.ElementCount is 0 or > int.MaxValue)
            throw new ModelFileException($"{where} is {array.Type}{array.Shape}, expected images: UInt8 or Float32, [N, H, W], [N, H, W, C] or [N, C, H, W].");
        _channelsLast = dims.Length == 4 && dims[3] is 1 or 3 && (dims[1] is not (1 or 3) || array.Type == ElementType.UInt8);
        Dims = dims.Length == 3 ? [1, (int)dims[1], (int)dims[2]] : _channelsLast ? [(int)dims[3], (int)dims[1], (int)dims[2]] : [(int)dims[1], (int)dims[2], (int)dims[3]];
        if (Dims[0] is not (1 or 3))
            throw new ModelFileException($"{where} is {array.Type}{array.Shape}: neither its second nor its last axis is 1 (grey) or 3 (colours), so which are the channels is not known.");
        Count = (int)dims[0];
        (_black, var white) = array.Type == ElementType.UInt8 ? (0, 255) : (options.Range[0], options.Range[1]);
        _scale = 2 / (white - _black);
        if (array.Type == ElementType.Float32)
            RequireRange(white, where);
    }

    /// <summary>Images of an .npy file.</summary>
    public static ArrayImages OfNpy(DataOptions options)
    {
        var array = NpyFile.Read(options.Images);
        if (options.Labels == ImageLabels.Own)
            throw new ModelFileException($"data.labels: '{options.Images}' is one array and has no classes of its own; name an .npy or idx file of labels, or use an .npz with the array 'labels'.");
        return new ArrayImages(array, ImageLabels.OfArray(array.Dims is [var count, ..] ? (int)count : 0, options.Labels), options, $"'{options.Images}'");
    }

    /// <summary>Images of an .npz archive: its array <c>images</c> or <c>arr_0</c>, or the only one; its own classes are the array <c>labels</c> or <c>arr_1</c>.</summary>
    public static ArrayImages OfNpz(DataOptions options)
    {
        var arrays = NpzFile.Read(options.Images);
        var name = arrays.ContainsKey("images") ? "images" : arrays.ContainsKey("arr_0") ? "arr_0" : arrays.Count == 1 ? arrays.Keys.First()
            : throw new ModelFileException($"'{options.Images}' holds {string.Join(", ", arrays.Keys)}; images are expected under 'images' or 'arr_0'.");
        var (array, where) = (arrays[name], $"'{name}' in '{options.Images}'");
        var count = array.Dims is [var found, ..] ? (int)found : 0;
        var own = arrays.GetValueOrDefault("labels") ?? arrays.GetValueOrDefault("arr_1");
        if (options.Labels == ImageLabels.Own && own is null)
            throw new ModelFileException($"data.labels: '{options.Images}' has no array 'labels' or 'arr_1', only {string.Join(", ", arrays.Keys)}.");
        return new ArrayImages(array, options.Labels == ImageLabels.Own ? ImageLabels.OfNumbers(ImageLabels.Numbers(own!, options.Images), count, options.Images)
            : ImageLabels.OfArray(count, options.Labels), options, where);
    }

    public string Name { get; }

    public int Count { get; }

    public IReadOnlyList<int> Dims { get; }

    public int Labels => _labels.Classes;

    public long HeldBytes => _array.ElementCount * _array.Type.Size();

    public int Label(int index) => _labels.Classes == 0 ? 0 : _labels.Of[index];

    public void Read(int index, Span<float> pixels)
    {
        var (channels, plane) = (Dims[0], Dims[1] * Dims[2]);
        var bytes = _array.Type == ElementType.UInt8 ? _array.As<byte>().Slice(index * channels * plane, channels * plane) : default;
        var floats = _array.Type == ElementType.Float32 ? _array.As<float>().Slice(index * channels * plane, channels * plane) : default;
        for (var i = 0; i < channels * plane; i++)
        {
            var at = _channelsLast ? (i % plane * channels) + (i / plane) : i;
            pixels[i] = (float)((((floats.IsEmpty ? bytes[at] : floats[at]) - _black) * _scale) - 1);
        }
    }

    public void Dispose()
    {
    }

    private void RequireRange(double white, string where)
    {
        var (smallest, largest) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in _array.As<float>())
        {
            if (!float.IsFinite(value))
                throw new ModelFileException($"{where} holds numbers that are not finite, {value}; images have none.");
            (smallest, largest) = (Math.Min(smallest, value), Math.Max(largest, value));
        }
        var (low, high) = (Math.Min(_black, white), Math.Max(_black, white));
        var beyond = Overshoot * (high - low);
        if (smallest < low - beyond || largest > high + beyond)
            throw new ModelFileException($"{where} runs from {smallest} to {largest}, expected {low} to {high}. Set data.range to the numbers that mean black and white, such as [0, 1].");
    }
}
