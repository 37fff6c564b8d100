using OnnxDistill.Data.Images;

namespace OnnxDistill.Tests.Data.Images;

[TestClass]
public sealed class ImageBatchesTests
{
    [TestMethod]
    public void PartsHoldWhatTheWholeBatchHolds()
    {
        using var source = new Ramps(10);
        var whole = new ImageBatches(source, 1, "s", samples: 4, batch: 4, flip: true);
        var parts = new ImageBatches(source, 1, "s", samples: 2, batch: 4, flip: true);
        for (var update = 0L; update < 6; update++)
        {
            var (pixels, labels) = whole.Take(update, 0, (update + 1, 0));
            var (first, second) = (parts.Take(update, 0, (update, 1)), parts.Take(update, 1, (update + 1, 0)));
            CollectionAssert.AreEqual(pixels, first.Pixels.Concat(second.Pixels).ToArray());
            CollectionAssert.AreEqual(labels, first.Labels.Concat(second.Labels).ToArray());
        }
    }

    [TestMethod]
    public void AnUpdateDoesNotDependOnWhatWasReadBefore()
    {
        using var source = new Ramps(10);
        var straight = new ImageBatches(source, 1, "s", 3, 3, flip: false);
        (float[] Pixels, long[] Labels) fifth = default;
        for (var update = 0L; update < 5; update++)
            fifth = straight.Take(update, 0, (update + 1, 0));
        var resumed = new ImageBatches(source, 1, "s", 3, 3, flip: false);
        CollectionAssert.AreEqual(fifth.Pixels, resumed.Take(4, 0, (5, 0)).Pixels);
        // Back, as after a rollback: what was read ahead is not taken for it.
        CollectionAssert.AreEqual(fifth.Pixels, resumed.Take(4, 0, (5, 0)).Pixels);
    }

    [TestMethod]
    public void HalfOfTheImagesAreMirroredAndKeepTheirClass()
    {
        using var source = new Ramps(10);
        var batches = new ImageBatches(source, 1, "s", 1000, 1000, flip: true);
        var (pixels, labels) = batches.Take(0, 0, (1, 0));
        var mirrored = 0;
        for (var i = 0; i < 1000; i++)
        {
            var image = pixels[(i * 6)..((i * 6) + 6)];
            var straight = Ramps.Image((int)labels[i]);
            float[] reversed = [straight[2], straight[1], straight[0], straight[5], straight[4], straight[3]];
            CollectionAssert.AreEqual(image.SequenceEqual(straight) ? straight : reversed, image);
            mirrored += image.SequenceEqual(reversed) ? 1 : 0;
        }
        Assert.AreEqual(500, mirrored, 80, "five standard deviations");
    }

    [TestMethod]
    public void ABrokenImageIsTheCallersErrorOfThatUpdate()
    {
        using var source = new Ramps(10) { Broken = true };
        var batches = new ImageBatches(source, 1, "s", 4, 4, flip: false);
        Assert.ThrowsExactly<IOException>(() => batches.Take(0, 0, (1, 0)));
    }

    /// <summary>Images [1, 2, 3] that tell their index, which is their class too.</summary>
    private sealed class Ramps(int count) : IImageSource
    {
        public string Name => "ramps";

        public bool Broken { get; init; }

        public int Count => count;

        public IReadOnlyList<int> Dims => [1, 2, 3];

        public int Labels => count;

        public long HeldBytes => 0;

        public int Label(int index) => index;

        public static float[] Image(int index) => [index, index + 0.1f, index + 0.2f, index + 0.3f, index + 0.4f, index + 0.5f];

        public void Read(int index, Span<float> pixels)
        {
            if (Broken)
                throw new IOException("gone");
            Image(index).CopyTo(pixels);
        }

        public void Dispose()
        {
        }
    }
}
