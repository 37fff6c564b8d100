using OnnxDistill.Data.Images;
using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Tests.Data.Images;

[TestClass]
public sealed class EpochOrderTests
{
    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(5)]
    [DataRow(64)]
    [DataRow(1000)]
    [DataRow(4097)]
    public void EveryEpochHoldsEveryItemOnce(int count)
    {
        var order = new EpochOrder(3, StreamId.Named("order"), count);
        for (var epoch = 0L; epoch < 3; epoch++)
        {
            var items = Enumerable.Range(0, count).Select(i => order.At((epoch * count) + i)).Order().ToArray();
            CollectionAssert.AreEqual(Enumerable.Range(0, count).ToArray(), items);
        }
    }

    [TestMethod]
    public void EpochsSeedsAndStreamsHaveOrdersOfTheirOwn()
    {
        const int count = 500;
        int[] Epoch(long seed, string stream, int epoch) =>
            [.. Enumerable.Range(0, count).Select(i => new EpochOrder(seed, StreamId.Named(stream), count).At(((long)epoch * count) + i))];
        var orders = new[] { Epoch(1, "a", 0), Epoch(1, "a", 1), Epoch(2, "a", 0), Epoch(1, "b", 0) };
        for (var i = 0; i < orders.Length; i++)
        {
            for (var j = 0; j < i; j++)
            {
                // Two independent shuffles agree in one place on average; five or more have a chance of 0.4 %.
                Assert.IsLessThan(5, orders[i].Zip(orders[j]).Count(p => p.First == p.Second), $"{i} and {j}");
            }
        }
    }

    [TestMethod]
    public void AnItemLandsEverywhereAlike()
    {
        // Where item 0 lands over many epochs: mean and variance of the uniform law on 0..99, 833.25, within five standard errors.
        const int count = 100, epochs = 2000;
        var order = new EpochOrder(7, StreamId.Named("order"), count);
        var places = Enumerable.Range(0, epochs).Select(e => Enumerable.Range(0, count).First(i => order.At(((long)e * count) + i) == 0)).Select(p => (double)p).ToArray();
        var mean = places.Average();
        Assert.AreEqual(49.5, mean, 5 * Math.Sqrt(833.25 / epochs));
        Assert.AreEqual(833.25, places.Average(p => (p - mean) * (p - mean)), 5 * 833.25 * Math.Sqrt(0.8 / epochs));
    }
}
