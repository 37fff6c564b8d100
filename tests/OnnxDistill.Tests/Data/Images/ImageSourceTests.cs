using OnnxDistill.Data.Images;
using OnnxDistill.Graph;
using Entry = OnnxDistill.Tests.Data.Images.TestPictures.Entry;

namespace OnnxDistill.Tests.Data.Images;

[TestClass]
public sealed class ImageSourceTests
{
    // Two roundings of a number below 2.
    private const float Rounding = 2e-7f;

    public static IEnumerable<object[]> Names => ImageSourceCases.All.Select(static c => new object[] { c.Name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void EveryKindGivesTheSameImagesAndClasses(string name)
    {
        using var files = new TestFiles();
        var options = ImageSourceCases.All.Single(c => c.Name == name).Make(files);
        Assert.IsTrue(ImageSources.IsSet(options.Images));
        using var source = ImageSources.Open(options);
        CollectionAssert.AreEqual(new[] { 1, 2, 2 }, source.Dims.ToArray());
        CollectionAssert.AreEqual(new[] { 0, 0, 1 }, Enumerable.Range(0, source.Count).Select(source.Label).ToArray());
        Assert.AreEqual(2, source.Labels);
        float[][] expected = [[-1, -0.6f, -0.2f, 0.2f], [1, 0.6f, 0.2f, -0.2f], [-1, -1, -1, 1]];
        // Twice, closed in between as after a run that is rolled back.
        for (var pass = 0; pass < 2; pass++)
        {
            for (var i = 0; i < 3; i++)
            {
                var pixels = Read(source, i);
                for (var p = 0; p < 4; p++)
                    Assert.AreEqual(expected[i][p], pixels[p], Rounding, $"image {i}, pixel {p}");
            }
            source.Dispose();
        }

        using var unlabelled = ImageSources.Open(options with { Labels = "" });
        Assert.AreEqual((0, 0, 3), (unlabelled.Labels, unlabelled.Label(2), unlabelled.Count));

        // The first image's mean is 76.5, the same on every way up to the byte that files are rounded to.
        using var small = ImageSources.Open(options with { Size = 1, Channels = 3 });
        CollectionAssert.AreEqual(new[] { 3, 1, 1 }, small.Dims.ToArray());
        Assert.IsTrue(Read(small, 0).All(static p => Math.Abs(p - (76.5f / 127.5f) + 1) <= 0.5f / 127.5f + Rounding));
    }

    [TestMethod]
    public void ImagesAreCutToTheSquareInTheirMiddleAndAveraged()
    {
        using var files = new TestFiles();
        // 4 columns of 2 rows: the middle two columns count. 3 columns of 5 rows: rows 1 to 3.
        var folder = TestPictures.Folder(files, "set", new Entry("wide.png", TestPictures.GreyPng(4, 9, 100, 120, 9, 9, 140, 160, 9)),
            new Entry("high.png", TestPictures.GreyPng(3, 1, 1, 1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 1, 1, 1)));
        using var one = ImageSources.Open(new() { Images = folder, Size = 1 });
        Assert.AreEqual(130 / 127.5f - 1, Read(one, 1)[0]);
        Assert.AreEqual(50 / 127.5f - 1, Read(one, 0)[0]);
        using var two = ImageSources.Open(new() { Images = folder, Size = 2 });
        // (10 + 20/2 + 40/2 + 50/4) / 2.25 = 23.33, to the nearest byte.
        Assert.AreEqual(23 / 127.5f - 1, Read(two, 0)[0]);
    }

    [TestMethod]
    public void ReadingDoesNotDependOnThreadsOrCache()
    {
        using var files = new TestFiles();
        var entries = Enumerable.Range(0, 60).Select(i => new Entry($"{i % 3}/{i}.png",
            TestPictures.ColourPng(5, [.. Enumerable.Range(0, 100).Select(p => (byte)((p * (i + 3)) % 256))]))).ToArray();
        using var cached = ImageSources.Open(new() { Images = TestPictures.Folder(files, "set", entries), Size = 3, Labels = "own" });
        using var again = ImageSources.Open(new() { Images = TestPictures.Zip(files, "set.zip", entries), Size = 3, Labels = "own", CacheMb = 0 });
        Assert.AreEqual((3, 60), (again.Labels, again.Count));
        var found = new float[60][];
        Parallel.For(0, 60, i => found[i] = Read(again, i));
        for (var i = 0; i < 60; i++)
        {
            CollectionAssert.AreEqual(Read(cached, i), found[i]);
            Assert.AreEqual(cached.Label(i), again.Label(i));
        }
    }

    [TestMethod]
    public void DamagedFilesAreListedAndLeftOutOrFatal()
    {
        using var files = new TestFiles();
        var whole = TestPictures.GreyPng(64, [.. Enumerable.Range(0, 4096).Select(static i => (byte)(i * i >> 2))]);
        var options = new DataOptions
        {
            Images = TestPictures.Folder(files, "set", new("cat/1.png", [.. "text"u8]), new("cat/2.png", whole), new("dog/3.png", whole[..(whole.Length / 2)]),
                new("dog/4.png", whole), new("emu/5.png", TestPictures.PngThatClaims(60000, 50000))),
            Labels = "own",
        };
        using var source = ImageSources.Open(options);
        Assert.AreEqual(2, source.Count);
        // The classes stay those of all files.
        Assert.AreEqual((3, 0, 1), (source.Labels, source.Label(0), source.Label(1)));
        StringAssert.Contains(source.Notes[0], "3 of 5 images");
        StringAssert.Contains(source.Notes[0], "cat/1.png (no image that can be decoded), dog/3.png (cut off), emu/5.png (60000 x 50000 pixels");
        Assert.AreEqual($"classes of '{options.Images}': 0 = cat, 1 = dog, 2 = emu", source.Notes[1]);
        Expect.Error<ModelFileException>(() => ImageSources.Open(options with { Strict = true }), "3 of 5 images", "dog/3.png (cut off)", "--strict");
    }

    [TestMethod]
    public void AFileThatIsLostDuringARunIsNamed()
    {
        using var files = new TestFiles();
        var folder = TestPictures.Folder(files, "set", new Entry("a.png", TestPictures.GreyPng(1, 5)), new Entry("b.png", TestPictures.GreyPng(1, 6)));
        using var source = ImageSources.Open(new() { Images = folder, CacheMb = 0 });
        File.Delete(files["set/b.png"]);
        Expect.Error<ModelFileException>(() => Read(source, 1), "b.png", "could be read when the set was opened");
    }

    [TestMethod]
    public void ClassesThatAreNumbersStandForThemselves()
    {
        using var files = new TestFiles();
        var folder = TestPictures.Folder(files, "set", new Entry("10/a.png", TestPictures.GreyPng(1, 5)), new Entry("9/b.png", TestPictures.GreyPng(1, 6)));
        using var source = ImageSources.Open(new() { Images = folder, Labels = "own" });
        Assert.AreEqual((11, 10, 9), (source.Labels, source.Label(0), source.Label(1)));
        Assert.IsEmpty(source.Notes);
    }

    [TestMethod]
    public void CifarsJpegsAreReadOutOfTheirArchive()
    {
        using var source = ImageSources.Open(new() { Images = TestFiles.Shared("no-licence/cifar10-jpg/cifar10-test-jpg.tar.gz"), Size = 16 });
        CollectionAssert.AreEqual(new[] { 3, 16, 16 }, source.Dims.ToArray());
        Assert.AreEqual(10_000, source.Count);
        Assert.IsEmpty(source.Notes);
    }

    private static float[] Read(IImageSource source, int index)
    {
        var pixels = new float[source.Dims.Aggregate(1, static (n, d) => n * d)];
        source.Read(index, pixels);
        return pixels;
    }
}
