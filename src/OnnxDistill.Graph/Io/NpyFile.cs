using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Io;

/// <summary>Reads and writes numpy's <c>.npy</c> arrays: numbers and booleans. Written is little-endian in C order, as memory has it.</summary>
public static partial class NpyFile
{
    private const int Alignment = 64;

    private static readonly (string Descr, ElementType Type)[] Types =
    [
        ("<f4", ElementType.Float32),
        ("<f8", ElementType.Float64),
        ("<f2", ElementType.Float16),
        ("<i8", ElementType.Int64),
        ("<i4", ElementType.Int32),
        ("<i2", ElementType.Int16),
        ("|i1", ElementType.Int8),
        ("<u8", ElementType.UInt64),
        ("<u4", ElementType.UInt32),
        ("<u2", ElementType.UInt16),
        ("|u1", ElementType.UInt8),
        ("|b1", ElementType.Bool),
    ];

    private static readonly byte[] Magic = [0x93, .. "NUMPY"u8];

    /// <summary>Reads an array file.</summary>
    /// <exception cref="ModelFileException">The file is missing, damaged, or of a kind that is not read (objects, text,
    /// records).</exception>
    public static TensorData Read(string path) => FromBytes(ModelFiles.ReadAll(path, "array"), $"The array file '{path}'");

    /// <summary>Reads an array from memory; little-endian elements in C order are not copied.</summary>
    /// <param name="bytes">The file's content.</param>
    /// <param name="what">What error messages call it.</param>
    /// <exception cref="ModelFileException">The bytes are damaged, or of a kind that is not read.</exception>
    public static TensorData FromBytes(ReadOnlyMemory<byte> bytes, string what = "array")
    {
        var (header, dataStart) = Header(bytes.Span, what);
        var descr = DescrPattern().Match(header);
        var order = OrderPattern().Match(header);
        var shape = ShapePattern().Match(header);
        if (!descr.Success || !order.Success || !shape.Success)
            throw new ModelFileException($"{what} has a header that is not understood (records are not read): {header.Trim()}");
        var (type, isBigEndian) = Type(descr.Groups[1].Value, what);
        var dims = Dims(shape.Groups[1].Value, what);
        var data = bytes[dataStart..];
        var expected = dims.Aggregate((Int128)type.Size(), static (product, d) => product > long.MaxValue ? product : product * d);
        if (data.Length != expected)
        {
            throw new ModelFileException(
                $"{what} should hold {expected} bytes for {type} of shape ({shape.Groups[1].Value}), found {data.Length}; is it cut off?");
        }
        if (isBigEndian)
            data = NpyLayout.Swapped(data.Span, type.Size());
        // Arrays with at most one extent over 1 lie in memory the same way in both orders.
        if (order.Groups[1].Value == "True" && dims.Count(static d => d != 1) > 1)
            data = NpyLayout.FromFortran(data.Span, type.Size(), dims);
        return new TensorData(type, dims, data);
    }

    /// <summary>Writes an array file, whole or not at all; the folder is created.</summary>
    /// <exception cref="ModelFileException">The place cannot be written to, or numpy has no such element type.</exception>
    public static void Write(string path, TensorData tensor) => PendingFile.Write(path, stream => Write(stream, tensor, $"'{path}'"));

    /// <summary>The content of an array file.</summary>
    /// <exception cref="ModelFileException">Numpy has no such element type.</exception>
    public static byte[] ToBytes(TensorData tensor)
    {
        using var stream = new MemoryStream();
        Write(stream, tensor, "array");
        return stream.ToArray();
    }

    /// <summary>Writes the array to a stream.</summary>
    internal static void Write(Stream stream, TensorData tensor, string what)
    {
        var descr = Array.Find(Types, t => t.Type == tensor.Type).Descr
            ?? throw new ModelFileException($"{what} cannot be written: numpy has no element type for {tensor.Type}.");
        // Python writes a one-element tuple with a comma.
        var shape = string.Join(", ", tensor.Dims.Select(static d => d.ToString(CultureInfo.InvariantCulture)))
            + (tensor.Dims.Length == 1 ? "," : "");
        var header = $"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}";
        // No tensor has so many extents that the header would outgrow version 1's 16-bit length.
        var prefix = Magic.Length + 4;
        var length = (prefix + header.Length + 1 + Alignment - 1) / Alignment * Alignment - prefix;
        Span<byte> start = [.. Magic, 1, 0, (byte)length, (byte)(length >> 8)];
        stream.Write(start);
        stream.Write(Encoding.ASCII.GetBytes(header.PadRight(length - 1) + "\n"));
        stream.Write(tensor.Bytes);
    }

    private static (string Header, int DataStart) Header(ReadOnlySpan<byte> bytes, string what)
    {
        if (!bytes.StartsWith(Magic) || bytes.Length < 10)
            throw new ModelFileException($"{what} is not a numpy array (it does not start with \\x93NUMPY).{FileKinds.Hint(bytes)}");
        var version = bytes[6];
        if (version is < 1 or > 3)
            throw new ModelFileException($"{what} has the npy format version {version}; 1 to 3 are read.");
        // Version 2 widened the header's length; 3 only allowed UTF-8 in field names, which plain arrays lack.
        var start = version == 1 ? 10 : 12;
        var length = version == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..])
            : bytes.Length >= start ? BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) : uint.MaxValue;
        return length <= bytes.Length - start
            ? (Encoding.Latin1.GetString(bytes.Slice(start, (int)length)), start + (int)length)
            : throw new ModelFileException($"{what} is cut off inside its header.");
    }

    private static (ElementType Type, bool IsBigEndian) Type(string descr, string what)
    {
        var isBigEndian = descr.StartsWith('>');
        var name = isBigEndian ? $"<{descr[1..]}" : descr;
        var found = Array.Find(Types, t => t.Descr == name || (t.Type.Size() == 1 && t.Descr[1..] == name[1..]));
        return found.Descr is not null ? (found.Type, isBigEndian)
            : throw new ModelFileException($"{what} has elements of type '{descr}'; read are {string.Join(", ", Types.Select(static t => t.Descr))}.");
    }

    private static long[] Dims(string tuple, string what)
    {
        try
        {
            return [.. tuple.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(static d => long.Parse(d, NumberStyles.None, CultureInfo.InvariantCulture))];
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw new ModelFileException($"{what} has the shape ({tuple}), which is no list of extents.", e);
        }
    }

    [GeneratedRegex(@"'descr'\s*:\s*'([^']+)'")]
    private static partial Regex DescrPattern();

    [GeneratedRegex(@"'fortran_order'\s*:\s*(True|False)")]
    private static partial Regex OrderPattern();

    [GeneratedRegex(@"'shape'\s*:\s*\(([^)]*)\)")]
    private static partial Regex ShapePattern();
}
