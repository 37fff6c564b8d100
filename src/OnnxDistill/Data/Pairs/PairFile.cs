using System.Text.Json;
using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Data.Pairs;

/// <summary>
/// Pairs as a file: numpy's .npz with the arrays <c>z</c> [count, ...] and <c>y</c> [count, ...] (float32), <c>label</c> [count] (int64) where there are
/// classes, and <c>origin</c>, JSON in UTF-8 bytes, where this project has drawn them. The noise is kept although it could be drawn again, so that
/// any tool can read such a file, and make one.
/// </summary>
public static class PairFile
{
    private const string Latents = "z", Samples = "y", Labels = "label", Origin = "origin";

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <exception cref="ModelFileException">The place cannot be written to.</exception>
    public static void Write(string path, PairSet pairs)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        NpzFile.Write(path, Arrays(pairs));
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="dims">Shape of a sample.</param>
    /// <param name="labels">Number of classes, 0 for none.</param>
    /// <exception cref="ModelFileException">It is missing or damaged.</exception>
    /// <exception cref="RecipeException">It holds something other than pairs of that shape.</exception>
    public static PairSet Read(string path, IReadOnlyList<int> dims, int labels)
    {
        var arrays = NpzFile.Read(path);
        var expected = $"'{Latents}' and '{Samples}' Float32[count, {string.Join(", ", dims)}]{(labels > 0 ? $" and '{Labels}' Int64[count] from 0 to {labels - 1}" : "")}";
        RecipeException Refuse(string found) => new($"pairs: found {found} in '{path}', expected {expected}. Make the file anew for this teacher, or name none.");
        SampleSet Numbers(string name) => !arrays.TryGetValue(name, out var array) ? throw Refuse($"no array '{name}'")
            : array.Type != ElementType.Float32 || array.Dims is not [> 0, ..] || !array.Dims.Skip(1).SequenceEqual(dims.Select(d => (long)d)) ? throw Refuse($"'{name}' {array.Type}{array.Shape}")
            : new SampleSet([.. dims], array.As<float>().ToArray());

        var (z, y) = (Numbers(Latents), Numbers(Samples));
        if (z.Count != y.Count)
            throw Refuse($"{z.Count} latents and {y.Count} samples");
        if (Array.Exists(y.Data, v => !float.IsFinite(v)) || Array.Exists(z.Data, v => !float.IsFinite(v)))
            throw Refuse("numbers that are not finite");
        var classes = labels > 0 ? Classes(arrays, y.Count, labels, Refuse) : null;
        return new PairSet(z, y, classes, arrays.TryGetValue(Origin, out var origin) ? ReadOrigin(origin, Refuse) : null);
    }

    private static long[] Classes(OrderedDictionary<string, TensorData> arrays, int count, int labels, Func<string, RecipeException> refuse)
    {
        if (!arrays.TryGetValue(Labels, out var array))
            throw refuse($"no array '{Labels}'");
        if (array.Type != ElementType.Int64 || array.Dims is not [var rows] || rows != count)
            throw refuse($"'{Labels}' {array.Type}{array.Shape} beside {count} samples");
        var classes = array.ToLongs();
        var wrong = Array.FindIndex(classes, c => c < 0 || c >= labels);
        return wrong >= 0 ? throw refuse($"the class {classes[wrong]}") : classes;
    }

    private static PairOrigin ReadOrigin(TensorData bytes, Func<string, RecipeException> refuse)
    {
        try
        {
            return JsonSerializer.Deserialize<PairOrigin>(bytes.Bytes, Json) ?? throw refuse("no origin");
        }
        catch (JsonException)
        {
            throw refuse($"an array '{Origin}' that this version does not read");
        }
    }

    private static IEnumerable<KeyValuePair<string, TensorData>> Arrays(PairSet pairs)
    {
        long[] dims = [pairs.Count, .. pairs.Samples.Dims.ToArray().Select(d => (long)d)];
        yield return new(Latents, TensorData.Of(pairs.Latents.Data, dims));
        yield return new(Samples, TensorData.Of(pairs.Samples.Data, dims));
        if (pairs.Labels is { } labels)
            yield return new(Labels, TensorData.Of(labels, pairs.Count));
        if (pairs.Origin is not { } origin)
            yield break;
        var json = JsonSerializer.SerializeToUtf8Bytes(origin, Json);
        yield return new(Origin, new TensorData(ElementType.UInt8, [json.Length], json));
    }
}
