namespace OnnxDistill.Data.Images;

/// <summary>Opens sets of images: one line a kind of source, asked in order.</summary>
public static class ImageSources
{
    private static readonly (Func<string, bool> Accepts, Func<DataOptions, IImageSource> Open)[] Kinds =
    [
        (static path => path.Contains(".idx", StringComparison.OrdinalIgnoreCase) || path.Contains("-idx", StringComparison.OrdinalIgnoreCase) || path.EndsWith("-ubyte.gz", StringComparison.OrdinalIgnoreCase),
            static o => new IdxImages(o.Images, o.Labels)),
    ];

    /// <summary>Opens the images that a recipe names.</summary>
    /// <exception cref="Graph.ModelFileException">They are missing, damaged or of no kind that can be read.</exception>
    public static IImageSource Open(DataOptions options) => Kinds.FirstOrDefault(kind => kind.Accepts(options.Images)).Open?.Invoke(options)
        ?? throw new Graph.ModelFileException($"data.images: '{options.Images}' is of no known kind, expected an idx file (plain or .gz).");
}
