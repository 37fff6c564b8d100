using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Cli;

/// <summary>Arrays that a user hands over by name (.npz), or one on its own (.npy) where there is only one it can be for.</summary>
internal static class FeedFiles
{
    /// <summary>Reads the file.</summary>
    /// <param name="path">The file; .npy for one array, everything else is read as .npz.</param>
    /// <param name="names">What the arrays can be for: the model's inputs, or its outputs.</param>
    /// <param name="what">What error messages call one of these: input, output.</param>
    /// <exception cref="ModelFileException">The file cannot be read, or it is one array and the model has several places for it.</exception>
    public static IReadOnlyDictionary<string, TensorData> Read(string path, IEnumerable<Value> names, string what)
    {
        if (!path.EndsWith(".npy", StringComparison.OrdinalIgnoreCase))
            return NpzFile.Read(path);
        var places = names.Select(static v => v.Name).ToList();
        return places is [var only] ? new Dictionary<string, TensorData>(StringComparer.Ordinal) { [only] = NpyFile.Read(path) }
            : throw new ModelFileException($"'{path}' is one array without a name, but the model has {places.Count} {what}s ({string.Join(", ", places)}). "
                + "Save the arrays by name: numpy.savez(file, **arrays).");
    }
}
