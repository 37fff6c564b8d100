namespace OnnxDistill.Evaluation;

/// <summary>Where features come from, as one writes it in a word: <c>classifier.onnx:pool/flatten</c> is a tensor inside the network, <c>classifier.onnx</c> its
/// first output.</summary>
/// <param name="Path">The network's file.</param>
/// <param name="Tensor">The tensor; empty for the first output.</param>
public readonly record struct FeatureSource(string Path, string Tensor)
{
    private const string Ending = ".onnx:";

    /// <summary>Takes the word apart. Colons also stand in Windows' drives and in names of tensors, so the file is the first part that exists; where none does,
    /// what ends in .onnx.</summary>
    public static FeatureSource Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (File.Exists(text))
            return new FeatureSource(text, "");
        for (var colon = text.IndexOf(':', StringComparison.Ordinal); colon >= 0; colon = text.IndexOf(':', colon + 1))
        {
            if (File.Exists(text[..colon]))
                return new FeatureSource(text[..colon], text[(colon + 1)..]);
        }
        var end = text.IndexOf(Ending, StringComparison.OrdinalIgnoreCase);
        return end < 0 ? new FeatureSource(text, "") : new FeatureSource(text[..(end + Ending.Length - 1)], text[(end + Ending.Length)..]);
    }
}
