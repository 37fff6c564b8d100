using System.Globalization;
using OnnxDistill.Graph.Io.Proto;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Io;

/// <summary>Tensors whose bytes lie in a file beside the model: checked when the model is read, loaded when first used.</summary>
internal static class ExternalData
{
    /// <summary>A tensor that loads its bytes on first use, or null with the reason noted.</summary>
    public static TensorData? Decode(TensorProto proto, ElementType type, long byteCount, string where, ReadContext context)
    {
        var entries = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in proto.ExternalData)
            entries[entry.Key] = entry.Value;
        if (type == ElementType.Text)
            return Refuse("text cannot be kept in an external file");
        if (!entries.TryGetValue("location", out var location))
            return Refuse("it is marked as external but names no file");
        if (!Number("offset", 0, out var offset) || !Number("length", byteCount, out var length))
            return Refuse("the offset or length of its external data is not a number of bytes");
        if (length != byteCount)
            return Refuse($"its type and shape need {byteCount} bytes, its external data has {length}");
        if (context.Folder is null)
            return Refuse($"its bytes are in the external file '{location}', but the model was given without a folder; read it by path");
        if (SafePath.Resolve(context.Folder, location, out var finding) is not { } path)
            return Refuse(finding);
        var fileLength = new FileInfo(path).Length;
        if (offset > fileLength - byteCount)
        {
            return Refuse($"it needs bytes {offset} to {(Int128)offset + byteCount} of '{location}', which has only {fileLength}; "
                + "was the download cut off?");
        }
        return TensorData.Deferred(type, [.. proto.Dims], () => Load(path, offset, (int)byteCount, where));

        TensorData? Refuse(string reason)
        {
            context.Damaged($"{where}: {reason}");
            return null;
        }

        bool Number(string key, long defaultValue, out long number)
        {
            number = defaultValue;
            return !entries.TryGetValue(key, out var text)
                || (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= 0);
        }
    }

    private static ReadOnlyMemory<byte> Load(string path, long offset, int length, string where)
    {
        if (length == 0)
            return default;
        try
        {
            var bytes = GC.AllocateUninitializedArray<byte>(length);
            using var file = File.OpenRead(path);
            file.Position = offset;
            file.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFileException(
                $"{where}: its bytes could not be read from '{path}', which has changed since the model was read: {e.Message}", e);
        }
    }
}
