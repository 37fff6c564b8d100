using OnnxDistill.Graph;

namespace OnnxDistill.Data.Images;

/// <summary>Opens sets of images: one line a kind of source, told by what the path holds and not by its name, asked in order.</summary>
public static class ImageSources
{
    private static readonly (string Kind, Func<string, ImageFileStart, bool> Accepts, Func<DataOptions, IImageSource> Open)[] Kinds =
    [
        ("a folder", static (path, _) => Directory.Exists(path), static o => new FileImages(new FolderFiles(o.Images), o)),
        ("an .npz archive", static (_, start) => start.IsNpz, ArrayImages.OfNpz),
        ("a .zip archive", static (_, start) => start.IsZip, static o => new FileImages(new ZipFiles(o.Images), o)),
        ("a .tar archive (plain or .gz)", static (_, start) => start.IsTar, static o => new FileImages(new TarFiles(o.Images), o)),
        ("an .npy array", static (_, start) => start.IsNpy, ArrayImages.OfNpy),
        ("an idx file (plain or .gz)", static (_, start) => start.IsIdx, static o => new IdxImages(o.Images, o.Labels)),
    ];

    /// <summary>Whether a path holds a set of images of a known kind; no ONNX model does.</summary>
    public static bool IsSet(string path)
    {
        var start = ImageFileStart.Of(path);
        return Kinds.Any(kind => kind.Accepts(path, start));
    }

    /// <summary>Opens the images that a recipe names.</summary>
    /// <exception cref="ModelFileException">They are missing, damaged or of no kind that can be read.</exception>
    public static IImageSource Open(DataOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var path = options.Images;
        if (!Path.Exists(path))
            throw new ModelFileException($"There is no file or folder '{path}'; a set of images was expected.");
        var start = ImageFileStart.Of(path);
        var open = Kinds.FirstOrDefault(kind => kind.Accepts(path, start)).Open
            ?? throw new ModelFileException($"'{path}' is no set of images that can be read, expected {string.Join(", ", Kinds.Select(static k => k.Kind))}.");
        return ResizedImages.Where(open(options), options);
    }
}
