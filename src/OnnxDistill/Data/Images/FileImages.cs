using OnnxDistill.Graph;
using OnnxDistill.Imaging;

namespace OnnxDistill.Data.Images;

/// <summary>
/// Images that are files of a folder or an archive. All are decoded once when the set is opened, side by side, so that a damaged one shows before a run and not
/// within it; what was decoded is kept as bytes where it fits into <see cref="DataOptions.CacheMb"/>, and decoded again at each reading where it does not.
/// </summary>
internal sealed class FileImages : IImageSource
{
    private const int Shown = 10;

    private readonly IImageFiles _files;
    private readonly ImageGeometry _geometry;
    private readonly ImageLabels _labels;
    private readonly int[] _kept;
    private readonly byte[]?[] _decoded;

    public FileImages(IImageFiles files, DataOptions options)
    {
        _files = files;
        try
        {
            _labels = ImageLabels.OfFiles(files.Paths, options.Images, options.Labels);
            var damage = new string?[files.Paths.Count];
            _geometry = ImageGeometry.Of(First(damage, options.Images), options);
            var bytes = (long)files.Paths.Count * _geometry.Size;
            _decoded = DecodeAll(damage, options, keep: bytes <= options.CacheMb * 1e6);
            _kept = [.. Enumerable.Range(0, damage.Length).Where(i => damage[i] is null)];
            Notes = [.. Describe(damage, options)];
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    public string Name => _files.Name;

    public int Count => _kept.Length;

    public IReadOnlyList<int> Dims => [_geometry.Channels, _geometry.Height, _geometry.Width];

    public int Labels => _labels.Classes;

    public IReadOnlyList<string> LabelNames => _labels.Names;

    public IReadOnlyList<string> Notes { get; }

    public long HeldBytes => _decoded.Sum(static d => (long)(d?.Length ?? 0));

    public int Label(int index) => _labels.Classes == 0 ? 0 : _labels.Of[_kept[index]];

    public void Read(int index, Span<float> pixels)
    {
        var bytes = _decoded[_kept[index]] ?? Again(_kept[index]);
        for (var i = 0; i < bytes.Length; i++)
            pixels[i] = (bytes[i] / 127.5f) - 1;
    }

    public void Dispose() => _files.Dispose();

    // Everything before the first readable image is damaged.
    private EncodedImage First(string?[] damage, string where)
    {
        for (var i = 0; i < damage.Length; i++)
        {
            if (TryDecode(i, damage) is { } image)
                return image;
        }
        throw new ModelFileException($"'{where}' holds {damage.Length} image files and none can be read: {List(damage)}.");
    }

    private byte[]?[] DecodeAll(string?[] damage, DataOptions options, bool keep)
    {
        var decoded = new byte[]?[damage.Length];
        var misfits = new string?[damage.Length];
        Parallel.For(0, damage.Length, i =>
        {
            if (damage[i] is not null || TryDecode(i, damage) is not { } image)
                return;
            misfits[i] = _geometry.Misfit(image, options.Channels == 1);
            if (keep && misfits[i] is null)
                decoded[i] = _geometry.Apply(image);
        });
        var found = misfits.Count(static m => m is not null);
        return found == 0 ? decoded : throw new ModelFileException($"'{options.Images}' holds {found} of {damage.Length} images of another kind than the first: {List(misfits)}. "
            + "Set data.size to crop and resize all of them, data.channels to 1 or 3 to make all of them grey or coloured.");
    }

    private EncodedImage? TryDecode(int index, string?[] damage)
    {
        try
        {
            return EncodedImage.Decode(_files.Read(index));
        }
        catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            damage[index] = error.Message;
            return null;
        }
    }

    private byte[] Again(int index)
    {
        var damage = new string?[index + 1];
        return TryDecode(index, damage) is { } image && _geometry.Misfit(image, mayGrey: true) is null ? _geometry.Apply(image)
            : throw new ModelFileException($"'{_files.Paths[index]}' in '{Name}' could be read when the set was opened and now cannot: {damage[index] ?? "it has another size"}. Leave the files alone during a run.");
    }

    private IEnumerable<string> Describe(string?[] damage, DataOptions options)
    {
        var lost = damage.Length - _kept.Length;
        if (lost > 0)
        {
            var message = $"{lost} of {damage.Length} images of '{options.Images}' cannot be read";
            if (options.Strict)
                throw new ModelFileException($"{message}: {List(damage)}. Mend or remove them, or leave data.strict (--strict) out to go on without them.");
            yield return $"{message} and are left out: {List(damage)}.";
        }
        if (_labels.Names.Count > 0)
            yield return $"classes of '{options.Images}': {string.Join(", ", _labels.Names.Select(static (name, i) => $"{i} = {name}"))}";
    }

    private string List(string?[] reasons)
    {
        var found = Enumerable.Range(0, reasons.Length).Where(i => reasons[i] is not null).ToList();
        return string.Join(", ", found.Take(Shown).Select(i => $"{_files.Paths[i]} ({reasons[i]})")) + (found.Count > Shown ? ", ..." : "");
    }
}
