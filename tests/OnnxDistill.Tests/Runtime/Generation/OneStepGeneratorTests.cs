using OnnxDistill.Data;
using OnnxDistill.Graph.Io;
using OnnxDistill.Imaging;
using OnnxDistill.Runtime.Generation;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Sampling;
using SkiaSharp;

namespace OnnxDistill.Tests.Runtime.Generation;

/// <summary>What an app draws is what <c>onnxdistill sample</c> draws, in every form in which it can ask for it.</summary>
[TestClass]
public sealed class OneStepGeneratorTests
{
    private static readonly DeviceOptions OneThread = new() { Threads = 1 };

    /// <summary>The sampler cuts into the same batches, each on one thread, so the bits are the same.</summary>
    [TestMethod]
    [DataRow(null)]
    [DataRow(7L)]
    public void DigitsAreThoseOfTheSamplerBitForBit(long? label)
    {
        using var generator = OneStepGenerator.Load(GeneratorFiles.Digits, OneThread);
        using var sampler = new GeneratorSampler(OnnxReader.Read(GeneratorFiles.Digits));
        CollectionAssert.AreEqual(sampler.Sample(20, 5, label is { } one ? _ => one : null).Data, generator.SampleNumbers(20, 5, label));
    }

    [TestMethod]
    public void PointsAreThoseOfTheSamplerBitForBit()
    {
        var model = GeneratorFiles.Points();
        using var generator = OneStepGenerator.Load(OnnxWriter.ToBytes(model), OneThread);
        using var sampler = new GeneratorSampler(model);
        CollectionAssert.AreEqual(sampler.Sample(300, 3).Data, generator.SampleNumbers(300, 3));
        CollectionAssert.AreEqual(new[] { 2 }, generator.DataShape.ToArray());
        Assert.IsFalse(generator.DrawsImages);
    }

    [TestMethod]
    public void PixelsAreThoseOfThePictureThatTheCommandWrites()
    {
        using var generator = OneStepGenerator.Load(GeneratorFiles.Digits, OneThread);
        var images = generator.Sample(3, 11, 4);
        using var picture = SKBitmap.Decode(new ImageGrid(new SampleSet([1, 28, 28], generator.SampleNumbers(3, 11, 4))) { Columns = 1, Padding = 0 }.ToPng());
        Assert.AreEqual((3, 28, 28, 1), (images.Count, images.Width, images.Height, images.Channels));
        for (var y = 0; y < 3 * 28; y++)
        {
            for (var x = 0; x < 28; x++)
                Assert.AreEqual(picture.GetPixel(x, y).Red, images[y / 28][(y % 28 * 28) + x]);
        }
    }

    [TestMethod]
    public void TheFileSaysWhatItIs()
    {
        using var generator = OneStepGenerator.Load(GeneratorFiles.Digits);
        CollectionAssert.AreEqual(new[] { 1, 28, 28 }, generator.DataShape.ToArray());
        CollectionAssert.AreEqual(new[] { 1, 28, 28 }, generator.LatentShape.ToArray());
        Assert.AreEqual((10, 28, 28, 1, "sid"), (generator.Labels, generator.Width, generator.Height, generator.Channels, generator.Metadata["onnxdistill.method"]));
    }

    /// <summary>Image i is latent i / 2 + class; green is the second plane and the second byte of a pixel.</summary>
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void PixelsHaveTheirChannelsSideBySideWhicheverWayTheFileStoresThem(bool asBytes)
    {
        using var generator = GeneratorFiles.Load(GeneratorFiles.Images(3, 2, asBytes));
        CollectionAssert.AreEqual(new[] { 3, 3, 2 }, generator.DataShape.ToArray());
        var latents = new float[2 * 18];
        new NoiseStream(9, StreamId.Latent).FillNormal(latents, 0);
        var images = generator.Sample(2, 9);
        var numbers = generator.SampleNumbers(2, 9);
        for (var i = 0; i < 2; i++)
        {
            for (var (c, at) = (0, 0); c < 3; c++)
            {
                for (var pixel = 0; pixel < 6; pixel++, at++)
                {
                    var value = (latents[(i * 18) + at] * 0.5f) + i;
                    Assert.AreEqual((byte)Math.Round(Math.Clamp((value * 127.5f) + 127.5f, 0, 255)), images[i][(pixel * 3) + c], "clipped and rounded to nearest");
                    if (asBytes)
                        Assert.AreEqual(Math.Clamp(value, -1, 1), numbers[(i * 18) + at], 0.5 / 127.5 + 1e-6, "half a step of 8 bits");
                    else
                        Assert.AreEqual(value, numbers[(i * 18) + at], 1e-6, "neither clipped nor rounded");
                }
            }
        }
    }

    [TestMethod]
    public void ARequestIsTheImageThatItsSeedAndLabelDrawAlone()
    {
        using var generator = OneStepGenerator.Load(GeneratorFiles.Digits, OneThread);
        GeneratorRequest[] requests = [.. Enumerable.Range(0, 18).Select(i => new GeneratorRequest(1000 - i, i % 3 == 0 ? null : i % 10))];
        var numbers = new float[18 * 784];
        generator.Sample(requests, numbers);
        for (var i = 0; i < requests.Length; i++)
            AssertClose(generator.SampleNumbers(1, requests[i].Seed, requests[i].Label), numbers.AsSpan(i * 784, 784));
        var images = generator.Sample(requests);
        Assert.AreEqual(18, images.Count);
        for (var i = 0; i < numbers.Length; i++)
            Assert.AreEqual(Math.Clamp(numbers[i], -1, 1), (images.Pixels[i] / 127.5) - 1, 0.5 / 127.5 + 1e-6, "half a step of 8 bits");
    }

    [TestMethod]
    public void LatentsOfTheCallerDrawWhatTheSeedsOwnLatentsDraw()
    {
        using var generator = OneStepGenerator.Load(GeneratorFiles.Digits, OneThread);
        var latents = new float[17 * generator.NumbersOfLatent];
        new NoiseStream(2, StreamId.Latent).FillNormal(latents, 0);
        var (numbers, pixels) = (new float[17 * 784], new byte[17 * 784]);
        generator.Generate(latents, [], numbers);
        CollectionAssert.AreEqual(generator.SampleNumbers(17, 2), numbers);
        generator.Generate(latents, [.. Enumerable.Repeat(3L, 17)], pixels);
        CollectionAssert.AreEqual(generator.Sample(17, 2, 3).Pixels, pixels);
    }

    [TestMethod]
    public void ASampleDependsOnSeedAndNumberNotOnHowManyAreDrawn()
    {
        using var generator = OneStepGenerator.Load(GeneratorFiles.Digits, OneThread);
        var many = generator.SampleNumbers(18, 6);
        AssertClose(many.AsSpan(0, 3 * 784), generator.SampleNumbers(3, 6));
        CollectionAssert.AreNotEqual(many, generator.SampleNumbers(18, 7));
    }

    [TestMethod]
    public void ManyThreadsShareOneGenerator()
    {
        using var generator = OneStepGenerator.Load(GeneratorFiles.Digits, OneThread);
        var expected = Enumerable.Range(0, 6).Select(i => generator.Sample(i + 1, i).Pixels).ToArray();
        System.Threading.Tasks.Parallel.For(0, 60, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
            CollectionAssert.AreEqual(expected[i % 6], generator.Sample((i % 6) + 1, i % 6).Pixels));
    }

    private static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> found)
    {
        Assert.AreEqual(expected.Length, found.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], found[i], 2e-6, "numbers of about 1, another batch size: sums in another order");
    }
}
