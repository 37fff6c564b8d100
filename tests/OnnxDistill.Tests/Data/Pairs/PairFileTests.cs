using OnnxDistill.Data;
using OnnxDistill.Data.Pairs;
using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Tests.Data.Pairs;

/// <summary>Files of pairs, and the batches that are taken of them.</summary>
[TestClass]
public sealed class PairFileTests
{
    private const int Count = 7, Labels = 3;

    private static readonly float[] Z = new TestRandom(1).FloatNormals(Count * 4);
    private static readonly float[] Y = new TestRandom(2).FloatNormals(Count * 4);
    private static readonly long[] Classes = [0, 1, 2, 0, 1, 2, 0];

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void WhatIsWrittenIsRead(bool own)
    {
        using var files = new TestFiles();
        var origin = own ? new PairOrigin("abc", 18, 7, 1.5) : null;
        PairFile.Write(files["pairs.npz"], new PairSet(Set(Z), Set(Y), Classes, origin));
        var found = PairFile.Read(files["pairs.npz"], [1, 2, 2], Labels);
        CollectionAssert.AreEqual(Z, found.Latents.Data);
        CollectionAssert.AreEqual(Y, found.Samples.Data);
        CollectionAssert.AreEqual(Classes, found.Labels);
        Assert.AreEqual(origin, found.Origin);
    }

    [TestMethod]
    [DataRow("no y", "no array 'y'")]
    [DataRow("another shape", "'z' Float32[7, 4]", "Float32[count, 1, 2, 2]")]
    [DataRow("doubles", "'y' Float64[7, 1, 2, 2]")]
    [DataRow("fewer latents", "6 latents and 7 samples")]
    [DataRow("NaN", "not finite")]
    [DataRow("no classes", "no array 'label'", "Int64[count] from 0 to 2")]
    [DataRow("fewer classes", "'label' Int64[6] beside 7 samples")]
    [DataRow("a class too many", "the class 3")]
    public void AFileOfOtherThingsIsRefusedWithWhatIsExpected(string fault, params string[] words)
    {
        using var files = new TestFiles();
        var arrays = new Dictionary<string, TensorData>
        {
            ["z"] = TensorData.Of(Z, Count, 1, 2, 2),
            ["y"] = TensorData.Of(Y, Count, 1, 2, 2),
            ["label"] = TensorData.Of(Classes, Count),
        };
        switch (fault)
        {
            case "no y":
                arrays.Remove("y");
                break;
            case "another shape":
                arrays["z"] = TensorData.Of(Z, Count, 4);
                break;
            case "doubles":
                arrays["y"] = TensorData.Of(Array.ConvertAll(Y, v => (double)v), Count, 1, 2, 2);
                break;
            case "fewer latents":
                arrays["z"] = TensorData.Of(Z[4..], Count - 1, 1, 2, 2);
                break;
            case "NaN":
                arrays["y"] = TensorData.Of([.. Y[1..], float.NaN], Count, 1, 2, 2);
                break;
            case "no classes":
                arrays.Remove("label");
                break;
            case "fewer classes":
                arrays["label"] = TensorData.Of(Classes[1..], Count - 1);
                break;
            default:
                arrays["label"] = TensorData.Of([.. Classes[1..], Labels], Count);
                break;
        }
        NpzFile.Write(files["pairs.npz"], arrays);
        Expect.Error<RecipeException>(() => PairFile.Read(files["pairs.npz"], [1, 2, 2], Labels), ["pairs.npz", .. words]);
    }

    [TestMethod]
    public void AMissingFileIsNamed()
    {
        using var files = new TestFiles();
        Expect.Error<ModelFileException>(() => PairFile.Read(files["pairs.npz"], [2], 0), "pairs.npz");
    }

    /// <summary>Fourteen parts of two pairs: four epochs, each of which holds every pair once, and another order in each.</summary>
    [TestMethod]
    public void EveryEpochHoldsEveryPairOnceAndPartsAreTheWhole()
    {
        var pairs = new PairSet(Set(Z), Set(Y), [.. Enumerable.Range(0, Count)], null);
        var whole = new PairBatches(pairs, 3, "student/pairs", samples: 4, batch: 4);
        var halves = new PairBatches(pairs, 3, "student/pairs", samples: 2, batch: 4);
        var order = new List<long>();
        for (var update = 0; update < Count; update++)
        {
            var (all, part, y) = (new long[4], new long[4], new float[16]);
            whole.Labels(update, 0, all);
            halves.Labels(update, 0, part.AsSpan(0, 2));
            halves.Labels(update, 1, part.AsSpan(2));
            CollectionAssert.AreEqual(all, part);
            whole.Samples(update, 0, y);
            CollectionAssert.AreEqual(all.SelectMany(i => Y[(4 * (int)i)..(4 * ((int)i + 1))]).ToArray(), y);
            whole.Latents(update, 0, y);
            CollectionAssert.AreEqual(all.SelectMany(i => Z[(4 * (int)i)..(4 * ((int)i + 1))]).ToArray(), y);
            order.AddRange(all);
        }
        var epochs = order.Chunk(Count).ToArray();
        foreach (var epoch in epochs)
            CollectionAssert.AreEquivalent(pairs.Labels, epoch);
        CollectionAssert.AreNotEqual(epochs[0], epochs[1]);
    }

    private static SampleSet Set(float[] numbers) => new([1, 2, 2], numbers);
}
