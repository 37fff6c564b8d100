using OnnxDistill.Graph;

namespace OnnxDistill.Data.Images;

/// <summary>Grey images of an idx file (plain or .gz), with the classes of a second one.</summary>
internal sealed class IdxImages : IImageSource
{
    private readonly byte[] _pixels;
    private readonly byte[]? _labels;
    private readonly int _size;

    public IdxImages(string images, string labels)
    {
        var file = IdxFile.Read(images);
        if (file.Dims is not [var count, var height, var width])
            throw new ModelFileException($"'{images}' has {file.Dims.Count} dimensions, {string.Join(" x ", file.Dims)}; 3 were expected for images (count, height, width).");
        (Name, Count, Dims, _pixels, _size) = (Path.GetFileName(images), count, [1, height, width], file.Data, height * width);
        if (labels.Length == 0)
            return;
        if (labels == ImageLabels.Own)
            throw new ModelFileException($"data.labels: '{images}' is an idx file and has no classes of its own; name the idx file of its labels.");
        _labels = IdxFile.ReadLabels(labels);
        if (_labels.Length != count)
            throw new ModelFileException($"'{labels}' has {_labels.Length} labels, '{images}' has {count} images. They have to be of the same set.");
        Labels = _labels.Max() + 1;
    }

    public string Name { get; }

    public int Count { get; }

    public IReadOnlyList<int> Dims { get; }

    public int Labels { get; }

    public long HeldBytes => _pixels.Length;

    public int Label(int index) => _labels is null ? 0 : _labels[index];

    public void Read(int index, Span<float> pixels)
    {
        var bytes = _pixels.AsSpan(checked(index * _size), _size);
        for (var i = 0; i < bytes.Length; i++)
            pixels[i] = (bytes[i] / 127.5f) - 1;
    }

    public void Dispose()
    {
    }
}
