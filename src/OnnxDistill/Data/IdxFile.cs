using System.Buffers.Binary;
using System.IO.Compression;
using OnnxDistill.Graph;

namespace OnnxDistill.Data;

/// <summary>An idx file of bytes, the format of MNIST and its relatives: two zero bytes, a type, the number of dimensions, the
/// dimensions as big-endian 32-bit numbers, the data. Plain or gzip, told apart by the first bytes and not by the name.</summary>
public sealed class IdxFile
{
    private const byte UnsignedByteType = 0x08;

    // Deflate cannot shrink by more than 1032 to 1, so a larger claim in a header is damage and nothing need be allocated for it.
    private const long MaxDeflateRatio = 1032;

    private IdxFile(string path, int[] dims, byte[] data) => (Path, Dims, Data) = (path, dims, data);

    /// <summary>Where the data came from.</summary>
    public string Path { get; }

    /// <summary>The dimensions, the number of items first.</summary>
    public IReadOnlyList<int> Dims { get; }

    /// <summary>The bytes, row-major.</summary>
    public byte[] Data { get; }

    /// <summary>Reads a file of unsigned bytes.</summary>
    /// <exception cref="ModelFileException">The file is missing, is no idx file of bytes, or is shorter or longer than its header
    /// says.</exception>
    public static IdxFile Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new ModelFileException($"There is no file '{path}'; an idx file (plain or .gz) was expected.");
        }

        using var file = File.OpenRead(path);
        try
        {
            if (!StartsAsGzip(file))
            {
                return ReadFrom(file, path, file.Length);
            }

            using var unzipped = new GZipStream(file, CompressionMode.Decompress);
            return ReadFrom(unzipped, path, checked(file.Length * MaxDeflateRatio));
        }
        catch (InvalidDataException e)
        {
            throw new ModelFileException($"'{path}' is a damaged gzip file ({e.Message}); fetch it again.", e);
        }
    }

    /// <summary>Reads grey images as samples [1, height, width], bytes 0..255 mapped to -1..1.</summary>
    /// <exception cref="ModelFileException">As <see cref="Read"/>, or the file does not have three dimensions.</exception>
    public static SampleSet ReadImages(string path)
    {
        var file = Read(path);
        file.RequireRank(3, "images (count, height, width)");
        var data = new float[file.Data.Length];
        for (var i = 0; i < data.Length; i++)
        {
            data[i] = file.Data[i] / 127.5f - 1f;
        }

        return new SampleSet([1, file.Dims[1], file.Dims[2]], data);
    }

    /// <summary>Reads one label an item.</summary>
    /// <exception cref="ModelFileException">As <see cref="Read"/>, or the file does not have one dimension.</exception>
    public static byte[] ReadLabels(string path)
    {
        var file = Read(path);
        file.RequireRank(1, "labels (count)");
        return file.Data;
    }

    private static bool StartsAsGzip(FileStream file)
    {
        Span<byte> start = stackalloc byte[2];
        var length = file.ReadAtLeast(start, 2, throwOnEndOfStream: false);
        file.Position = 0;
        return length == 2 && start is [0x1f, 0x8b];
    }

    private static IdxFile ReadFrom(Stream stream, string path, long maxBytes)
    {
        var magic = ReadExactly(stream, 4, path, "the magic number");
        if (magic is not [0, 0, UnsignedByteType, >= 1])
        {
            throw new ModelFileException(
                $"'{path}' is not an idx file of bytes: it starts with {Convert.ToHexString(magic)}, " +
                "expected 000008 and the number of dimensions.");
        }

        var dims = new int[magic[3]];
        var size = 1L;
        var header = ReadExactly(stream, 4 * dims.Length, path, "the dimensions");
        for (var i = 0; i < dims.Length; i++)
        {
            dims[i] = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4 * i));
            size = dims[i] < 1 ? -1 : size * dims[i];
            if (size < 0 || size > Array.MaxLength)
            {
                throw new ModelFileException(
                    $"'{path}' has a dimension of {(uint)dims[i]} (number {i + 1} of {dims.Length}): too large or none at all, " +
                    "so its header is damaged.");
            }
        }

        if (size > maxBytes)
        {
            throw Truncated(path, $"{size} bytes of data", "fewer");
        }

        var data = ReadExactly(stream, (int)size, path, "the data");
        return stream.ReadByte() < 0
            ? new IdxFile(path, dims, data)
            : throw new ModelFileException(
                $"'{path}' goes on after the {size} bytes that its dimensions {string.Join(" x ", dims)} call for: its header is wrong.");
    }

    private static byte[] ReadExactly(Stream stream, int count, string path, string what)
    {
        var bytes = new byte[count];
        var read = stream.ReadAtLeast(bytes, count, throwOnEndOfStream: false);
        return read == count ? bytes : throw Truncated(path, $"{count} bytes for {what}", $"{read}");
    }

    private static ModelFileException Truncated(string path, string expected, string found) =>
        new($"'{path}' is truncated: expected {expected}, found {found}; fetch it again.");

    private void RequireRank(int rank, string meaning)
    {
        if (Dims.Count != rank)
        {
            throw new ModelFileException(
                $"'{Path}' has {Dims.Count} dimension(s), {string.Join(" x ", Dims)}; {rank} were expected for {meaning}.");
        }
    }
}
