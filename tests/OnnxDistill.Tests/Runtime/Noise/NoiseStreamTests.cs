using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using CsCheck;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Tests.Runtime.Noise;

[TestClass]
public sealed class NoiseStreamTests
{
    private static readonly NoiseStream Stream = new(20260101, StreamId.Latent);

    [TestMethod]
    public void SlicesAreTheWholesSlices()
    {
        var (normals, uniforms, integers) = (new float[700], new float[700], new long[700]);
        Stream.FillNormal(normals, 3);
        Stream.FillUniform(uniforms, 3);
        Stream.FillIntegers(integers, 10, 3);
        Gen.Select(Gen.Int[0, 700], Gen.Int[0, 700]).Sample(p =>
        {
            var (from, to) = (Math.Min(p.Item1, p.Item2), Math.Max(p.Item1, p.Item2));
            var floats = new float[to - from];
            var longs = new long[to - from];
            Stream.FillNormal(floats, 3, from);
            var equal = floats.AsSpan().SequenceEqual(normals.AsSpan(from..to));
            Stream.FillUniform(floats, 3, from);
            equal &= floats.AsSpan().SequenceEqual(uniforms.AsSpan(from..to));
            Stream.FillIntegers(longs, 10, 3, from);
            return equal && longs.AsSpan().SequenceEqual(integers.AsSpan(from..to));
        }, seed: "0000KOIPe036", iter: 300);
    }

    /// <summary>From the definition in double: element i is word (i % 32) / 8 of block 8 (i / 32) + i % 8; words 0, 1 and 2, 3 are pairs.</summary>
    [TestMethod]
    [DataRow(0L, 0L)]
    [DataRow(5L, 12345L)]
    [DataRow(1L << 40, NoiseStream.ElementsPerStep - 200)]
    public void NormalsAreBoxMullerOfTheDocumentedWords(long step, long first)
    {
        var floats = new float[200];
        Stream.FillNormal(floats, step, first);
        for (var i = 0; i < floats.Length; i++)
        {
            var index = first + i;
            var block = Philox4x32.Generate(new PhiloxBlock((uint)((index / 32 * 8) + (index % 8)), Stream.Stream.Value, (uint)step, (uint)(step >> 32)),
                (uint)Stream.Seed, (uint)(Stream.Seed >> 32));
            var word = index % 32 / 8;
            var (radiusWord, angleWord) = word < 2 ? (block.W0, block.W1) : (block.W2, block.W3);
            var radius = Math.Sqrt(-2 * Math.Log((radiusWord + 0.5) / 4294967296.0));
            var angle = Math.Tau * (int)angleWord / 4294967296.0;
            var expected = radius * (word % 2 == 0 ? Math.Cos(angle) : Math.Sin(angle));
            // Float arithmetic throughout: some units in the last place of the radius.
            Assert.AreEqual(expected, floats[i], 1e-6 * Math.Max(1, radius));
        }
    }

    /// <summary>Recorded once; other processors and .NET versions have to give the same bits.</summary>
    [TestMethod]
    public void TheBitsAreTheSameEverywhere()
    {
        var floats = new float[100_000];
        Stream.FillNormal(floats, 7);
        Assert.AreEqual("9829F889260BD10B", Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(floats.AsSpan())))[..16]);
    }

    [TestMethod]
    public void TheLogarithmIsRightFromTheSmallestWordToTheLargest()
    {
        var words = new List<uint> { 0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xAAAAAAA9, 0xAAAAAAAA, 0xAAAAAAAB, 0xAAAAAAAC, 0xFFFFFFFE, uint.MaxValue };
        words.AddRange(Enumerable.Range(0, 100_000).Select(i => (uint)(i * 42949L)));
        foreach (var word in words)
        {
            var expected = Math.Log((word + 0.5) / 4294967296.0);
            // Two units in the last place of a float.
            Assert.AreEqual(expected, Normal.LogOfUnit(Vector256.Create(word))[3], 2.4e-7 * Math.Abs(expected), $"word {word}");
        }
    }

    [TestMethod]
    public void SineAndCosineAreRightAllRound()
    {
        var words = new List<uint> { 0, 1, 0x1FFFFFFF, 0x20000000, 0x20000001, 0x3FFFFFFF, 0x40000000, 0x60000000, 0x80000000, 0xA0000000, 0xC0000000, 0xE0000000, uint.MaxValue };
        words.AddRange(Enumerable.Range(0, 100_000).Select(i => (uint)(i * 42949L)));
        foreach (var word in words)
        {
            var (sin, cos) = Normal.SinCosOfTurn(Vector256.Create(word));
            // One unit in the last place of a float near 1.
            Assert.AreEqual(Math.Sin(Math.Tau * (int)word / 4294967296.0), sin[5], 1.2e-7, $"word {word}");
            Assert.AreEqual(Math.Cos(Math.Tau * (int)word / 4294967296.0), cos[5], 1.2e-7, $"word {word}");
        }
    }

    [TestMethod]
    public void TensorsAreFilledLikeSpans()
    {
        using var buffer = new TensorBuffer(ElementType.Float32, 1000);
        Stream.FillNormal(buffer.View(100, [30, 30]), 9, 50);
        var expected = new float[900];
        Stream.FillNormal(expected, 9, 50);
        CollectionAssert.AreEqual(expected, buffer.Span<float>(100, 900).ToArray());
        Assert.IsFalse(buffer.Span<float>(0, 100).ContainsAnyExcept(0f));
    }

    [TestMethod]
    public void OutOfRangeIsRefused()
    {
        var floats = new float[4];
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Stream.FillNormal(floats, -1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Stream.FillNormal(floats, 0, -1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Stream.FillNormal(floats, 0, NoiseStream.ElementsPerStep - 3));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Stream.FillIntegers([0], 0, 0));
    }

    [TestMethod]
    public void NamesGiveDistinctStreamsForEver()
    {
        var all = new[] { StreamId.Latent, StreamId.Noise, StreamId.NoiseLevel, StreamId.Labels, StreamId.Data, StreamId.Weights };
        Assert.AreEqual(all.Length, all.Distinct().Count());
        // FNV-1a's published test vectors.
        Assert.AreEqual(0xe40c292cu, StreamId.Named("a").Value);
        Assert.AreEqual(0xbf9cf968u, StreamId.Named("foobar").Value);
    }
}
