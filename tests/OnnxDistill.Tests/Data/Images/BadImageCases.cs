using System.Buffers.Binary;
using System.IO.Compression;
using OnnxDistill.Data.Images;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using Entry = OnnxDistill.Tests.Data.Images.TestPictures.Entry;

namespace OnnxDistill.Tests.Data.Images;

/// <summary>A set of images that is refused.</summary>
/// <param name="Name">What is wrong with it.</param>
/// <param name="Make">Makes the files.</param>
/// <param name="Words">What the message has to hold.</param>
internal sealed record BadImageCase(string Name, Func<TestFiles, DataOptions> Make, params string[] Words);

/// <summary>One row a mistake.</summary>
internal static class BadImageCases
{
    private static readonly byte[] Grey = TestPictures.GreyPng(2, 1, 2, 3, 4);
    private static readonly byte[] Colour = TestPictures.ColourPng(2, [.. Enumerable.Repeat((byte)200, 16)]);

    public static IReadOnlyList<BadImageCase> All { get; } = [.. Files(), .. Archives(), .. Classes(), .. Arrays()];

    private static IEnumerable<BadImageCase> Files()
    {
        yield return new("missing", f => new() { Images = f["none"] }, "There is no file or folder", "none");
        yield return new("unknown kind", f => new() { Images = f.Write("a.bin", "hello") }, "a.bin", "no set of images that can be read", "a folder", ".zip", ".npy", "idx");
        yield return new("no images in a folder", f => Folder(f, new Entry("a.txt", [1]), new Entry("b/c.csv", [1])), "holds no images", "2 other files", ".jpg");
        yield return new("nothing readable", f => Folder(f, new Entry("a.png", [1]), new Entry("b.jpg", [])), "holds 2 image files and none can be read", "a.png (no image", "b.jpg (empty)");
        yield return new("sizes differ", f => Folder(f, new Entry("a.png", Grey), new Entry("b.png", TestPictures.GreyPng(1, 1, 2)), new Entry("c.png", Grey)),
            "1 of 3 images of another kind", "b.png (2 x 1 instead of 2 x 2)", "data.size");
        yield return new("colour among grey", f => Folder(f, new Entry("a.png", Grey), new Entry("b.png", Colour)), "b.png (in colours instead of grey)", "data.channels");
    }

    private static IEnumerable<BadImageCase> Archives()
    {
        yield return new("empty zip", f => new() { Images = TestPictures.Zip(f, "a.zip") }, "a.zip", "holds no images");
        yield return new("zip cut off", f => new() { Images = f.Write("cut.zip", File.ReadAllBytes(TestPictures.Zip(f, "a.zip", new Entry("a.png", Grey)))[..60]) }, "cut.zip", "not a readable zip archive");
        yield return new("entry that grows a thousandfold", f => new() { Images = TestPictures.Zip(f, "a.zip", new Entry("a.png", Grey), new Entry("bomb.png", new byte[4 << 20])) },
            "'bomb.png' in", "would grow", "4,194,304 bytes", "unpack it");
        yield return new("entries that overlap", f => new() { Images = Overlapping(f) }, "a.zip", "would grow", "unpack it");
        yield return new("tar.gz that grows a thousandfold", f => new() { Images = TestPictures.Tar(f, "a.tar.gz", new Entry("a.png", Grey), new Entry("b.png", new byte[4 << 20])) },
            "a.tar.gz", "would grow");
        yield return new("tar cut off", f => new() { Images = f.Write("cut.tar", File.ReadAllBytes(TestPictures.Tar(f, "a.tar", new Entry("a.png", new byte[5000])))[..2048]) }, "cut.tar", "not a readable tar archive");
        yield return new("entry that lies about its length", f => new() { Images = Lying(f), Strict = true }, "1 of 2 images", "b.png (not the 5,000 bytes");
    }

    private static IEnumerable<BadImageCase> Classes()
    {
        yield return new("images beside the classes' folders", f => Folder(f, new Entry("cat/a.png", Grey), new Entry("b.png", Grey)) with { Labels = "own" }, "1 of 2 images beside the folders", "b.png");
        yield return new("missing table", f => Folder(f, new Entry("a.png", Grey)) with { Labels = f["none.csv"] }, "no file", "none.csv", "file and label");
        yield return new("labels that are no table", f => Folder(f, new Entry("a.png", Grey)) with { Labels = f.Write("l.txt", "1") }, "l.txt", "'own'", ".csv");
        yield return Table("columns of other names", "name,class\na.png,1\n", "name, class", "file and label");
        yield return Table("image without a row", "file,label\na.png,1\n", "1 images without a row (b.png)", "0 rows without an image");
        yield return Table("row without an image", "file,label\na.png,1\nb.png,1\nc.png,2\nd.png,2\n", "2 rows without an image (c.png, d.png)");
        yield return Table("two rows of one image", "file,label\na.png,1\nb.png,1\na.png,2\n", "line 4", "'a.png' has a row already");
        yield return Table("row without a label", "file,label\na.png,\nb.png,1\n", "line 2", "'a.png' has no label");
        yield return new("idx without labels", f => new() { Images = f.Write("i", [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7]), Labels = "own" }, "no classes of its own", "idx file of its labels");
        yield return new("labels of another set", f => Npy(f, Bytes(2, 1, 1)) with { Labels = f.Write("l", [0, 0, 8, 1, 0, 0, 0, 1, 7]) }, "1 labels for 2 images");
        yield return new("negative label", f => Npz(f, new("images", Bytes(2, 1, 1)), new("labels", TensorData.Of([3L, -1], 2))), "label -1 at 1", "from 0");
        yield return new("labels of floats", f => Npz(f, new("images", Bytes(2, 1, 1)), new("labels", TensorData.Of([3f, 1], 2))), "Float32", "Int64");
        yield return new("labels one-hot", f => Npz(f, new("images", Bytes(2, 1, 1)), new("labels", TensorData.Of([0L, 1, 1, 0], 2, 2))), "one whole number an image, [2]");
        yield return new("npz without labels", f => Npz(f, [new("images", Bytes(2, 1, 1))]), "no array 'labels'", "images");
        yield return new("npy with own labels", f => Npy(f, Bytes(2, 1, 1)) with { Labels = "own" }, "one array");
    }

    private static IEnumerable<BadImageCase> Arrays()
    {
        yield return new("channels not known", f => Npy(f, Bytes(1, 2, 2, 4)), "[1, 2, 2, 4]", "1 (grey) or 3");
        yield return new("no axis of images", f => Npy(f, Bytes(4, 4)), "[4, 4]", "[N, H, W]");
        yield return new("another type", f => Npy(f, TensorData.Of([1L], 1, 1, 1)), "Int64", "UInt8 or Float32");
        yield return new("another range", f => Npy(f, TensorData.Of([0f, 255], 2, 1, 1)), "from 0 to 255, expected -1 to 1", "data.range");
        yield return new("not finite", f => Npy(f, TensorData.Of([0f, float.NaN], 2, 1, 1)), "not finite");
        yield return new("unnamed arrays", f => Npz(f, new("a", Bytes(1, 1, 1)), new("b", Bytes(1, 1, 1))), "a, b", "'images' or 'arr_0'");
    }

    private static DataOptions Folder(TestFiles files, params Entry[] entries) => new() { Images = TestPictures.Folder(files, "set", entries) };

    private static BadImageCase Table(string name, string text, params string[] words) =>
        new(name, f => Folder(f, new Entry("a.png", Grey), new Entry("b.png", Grey)) with { Labels = f.Write("l.csv", text) }, [.. words, "l.csv"]);

    private static TensorData Bytes(params long[] dims) => new(ElementType.UInt8, dims, new byte[dims.Aggregate(1L, static (n, d) => n * d)]);

    private static DataOptions Npy(TestFiles files, TensorData array)
    {
        NpyFile.Write(files["a.npy"], array);
        return new() { Images = files["a.npy"] };
    }

    private static DataOptions Npz(TestFiles files, params KeyValuePair<string, TensorData>[] arrays)
    {
        NpzFile.Write(files["a.npz"], arrays);
        return new() { Images = files["a.npz"], Labels = "own" };
    }

    // A second entry whose stated length is 5000 bytes, in the directory at the end.
    private static string Lying(TestFiles files)
    {
        var bytes = File.ReadAllBytes(TestPictures.Zip(files, "a.zip", new Entry("a.png", Grey), new Entry("b.png", Grey)));
        var last = bytes.AsSpan().LastIndexOf("PK\x01\x02"u8);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(last + 24), 5000);
        return files.Write("a.zip", bytes);
    }

    // Two hundred entries of the directory that all lead to the same 30 kB of data.
    private static string Overlapping(TestFiles files)
    {
        var noise = new byte[30_000];
        new Random(1).NextBytes(noise);
        using (var archive = new ZipArchive(File.Create(files["a.zip"]), ZipArchiveMode.Create))
        {
            using var stream = archive.CreateEntry("000.png", CompressionLevel.NoCompression).Open();
            stream.Write(noise);
        }
        var bytes = File.ReadAllBytes(files["a.zip"]);
        var (start, end) = (bytes.AsSpan().LastIndexOf("PK\x01\x02"u8), bytes.AsSpan().LastIndexOf("PK\x05\x06"u8));
        var (record, tail) = (bytes[start..end], bytes[end..]);
        var records = Enumerable.Range(0, 200).SelectMany(i =>
        {
            var copy = record.ToArray();
            System.Text.Encoding.ASCII.GetBytes($"{i:D3}.png").CopyTo(copy, 46);
            return copy;
        }).ToArray();
        BinaryPrimitives.WriteInt16LittleEndian(tail.AsSpan(8), 200);
        BinaryPrimitives.WriteInt16LittleEndian(tail.AsSpan(10), 200);
        BinaryPrimitives.WriteInt32LittleEndian(tail.AsSpan(12), records.Length);
        return files.Write("a.zip", [.. bytes[..start], .. records, .. tail]);
    }
}
