namespace OnnxDistill.Graph.Io;

/// <summary>Guesses what a file that is not an ONNX model is, from its first bytes, so that the error can say what to do.</summary>
internal static class FileKinds
{
    private static readonly (byte[] Start, int At, string Hint)[] Known =
    [
        ([.. "version https://git-lfs"u8], 0, "It is a Git LFS pointer: fetch the real file with `git lfs pull`."),
        ([.. "ORTM"u8], 4, "It is in ONNX Runtime's own .ort format: use the .onnx file that it was made from."),
        ([0x89, .. "PNG"u8], 0, "It is a PNG picture."),
        ([0xFF, 0xD8, 0xFF], 0, "It is a JPEG picture."),
        ([.. "PK\u0003\u0004"u8], 0, "It is a zip archive (a PyTorch checkpoint is one): export the model to ONNX first."),
        ([0x80, 0x02], 0, "It is a Python pickle: export the model to ONNX first."),
        ([0x1F, 0x8B], 0, "It is compressed with gzip: unpack it first."),
        ([0x93, .. "NUMPY"u8], 0, "It is a numpy array."),
        ([.. "<"u8], 0, "It is a web page or XML text: the download may have failed."),
        ([.. "{"u8], 0, "It is JSON text."),
    ];

    /// <summary>A sentence on what the bytes are, with a leading blank, or nothing when they are not recognised.</summary>
    public static string Hint(ReadOnlySpan<byte> bytes)
    {
        foreach (var (start, at, hint) in Known)
        {
            if (bytes.Length > at && bytes[at..].StartsWith(start))
                return " " + hint;
        }
        return "";
    }
}
