using OnnxDistill.Data.Images;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using Entry = OnnxDistill.Tests.Data.Images.TestPictures.Entry;

namespace OnnxDistill.Tests.Data.Images;

/// <summary>One way to bring the same three images, of 2 x 2 pixels: 0 51 102 153, then 255 204 153 102 of class 0, then 0 0 0 255 of class 1.</summary>
/// <param name="Name">The kind of source.</param>
/// <param name="Make">Makes the files.</param>
internal sealed record ImageSourceCase(string Name, Func<TestFiles, DataOptions> Make);

/// <summary>A row for each kind of source, and for each kind of classes.</summary>
internal static class ImageSourceCases
{
    private static readonly byte[][] Pixels = [[0, 51, 102, 153], [255, 204, 153, 102], [0, 0, 0, 255]];

    // With things beside them that are no images; the folders' order is that of the classes.
    private static readonly Entry[] Files =
    [
        new("cat/b.png", TestPictures.GreyPng(2, Pixels[1])), new("dog/deep/c.png", TestPictures.GreyPng(2, Pixels[2])), new("cat/a.png", TestPictures.GreyPng(2, Pixels[0])),
        new("readme.txt", [.. "hello"u8]), new("cat/.hidden.png", [1]), new("__MACOSX/cat/a.png", [1]),
    ];

    public static IReadOnlyList<ImageSourceCase> All { get; } =
    [
        new("folder", f => new() { Images = TestPictures.Folder(f, "set", Files), Labels = "own" }),
        new("folder, table of names", f => new() { Images = TestPictures.Folder(f, "set", Files), Labels = Table(f, "wild", "zebra") }),
        new("folder, table of numbers", f => new() { Images = TestPictures.Folder(f, "set", Files), Labels = Table(f, "0", "1") }),
        new("zip", f => new() { Images = TestPictures.Zip(f, "set.zip", Files), Labels = "own" }),
        new("zip, not cached", f => new() { Images = TestPictures.Zip(f, "set.zip", Files), Labels = "own", CacheMb = 0 }),
        new("tar", f => new() { Images = TestPictures.Tar(f, "set.tar", Files), Labels = "own" }),
        new("tar.gz", f => new() { Images = TestPictures.Tar(f, "set.tar.gz", Files), Labels = "own", CacheMb = 0 }),
        new("npy of bytes", f => new() { Images = Npy(f, "a.npy", Bytes(3, 2, 2)), Labels = Npy(f, "l.npy", TensorData.Of([0L, 0, 1], 3)) }),
        new("npy of bytes, channels last", f => new() { Images = Npy(f, "a.npy", Bytes(3, 2, 2, 1)), Labels = Idx(f) }),
        new("npy of floats, channels first", f => new()
        {
            Images = Npy(f, "a.npy", TensorData.Of([.. Pixels.SelectMany(static p => p).Select(static b => b / 255f)], 3, 1, 2, 2)),
            Range = [0, 1],
            Labels = Idx(f),
        }),
        new("npz", f =>
        {
            NpzFile.Write(f["a.npz"], [new("labels", TensorData.Of([0L, 0, 1], 3)), new("images", Bytes(3, 1, 2, 2))]);
            return new() { Images = f["a.npz"], Labels = "own" };
        }),
        new("idx", f => new() { Images = f.Write("a-idx", [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2, .. Pixels.SelectMany(static p => p)]), Labels = Idx(f) }),
    ];

    private static TensorData Bytes(params long[] dims) => new(ElementType.UInt8, dims, Pixels.SelectMany(static p => p).ToArray());

    private static string Npy(TestFiles files, string name, TensorData array)
    {
        NpyFile.Write(files[name], array);
        return files[name];
    }

    private static string Idx(TestFiles files) => files.Write("labels-idx", [0, 0, 8, 1, 0, 0, 0, 3, 0, 0, 1]);

    private static string Table(TestFiles files, string first, string second) =>
        files.Write("labels.csv", $"label,file,note\n{second},dog\\deep\\c.png,x\n{first},cat/a.png,\n{first},cat/b.png,\n");
}
