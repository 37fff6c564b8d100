using System.Runtime.InteropServices;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Tests.Gradients;

/// <summary>One input of a case's node: its numbers, and whether it varies (a graph input, differentiated when floating) or is a constant.</summary>
/// <param name="Type">Element type; Float32 stands for the precision that the case runs in.</param>
/// <param name="Dims">Shape.</param>
/// <param name="Numbers">Its elements in order.</param>
/// <param name="IsConstant">An initializer instead of a graph input.</param>
internal sealed record Arg(ElementType Type, long[] Dims, double[] Numbers, bool IsConstant)
{
    /// <summary>Standard normal numbers.</summary>
    public static Arg Normal(params long[] dims) => Floats(dims, static (random, _) => Gaussian(random));

    /// <summary>Uniform numbers.</summary>
    public static Arg Uniform(double low, double high, params long[] dims) => Floats(dims, (random, _) => low + ((high - low) * random.NextDouble()));

    /// <summary>Numbers of either sign whose sizes lie in [0.3, 1.5]: away from a kink at 0.</summary>
    public static Arg AwayFromZero(params long[] dims) =>
        Floats(dims, static (random, _) => (random.Next(2) == 0 ? -1 : 1) * (0.3 + (1.2 * random.NextDouble())));

    /// <summary>Distinct numbers in random order, evenly spaced over [-1, 1]: no two tie, so no maximum changes hands nearby.</summary>
    public static Arg Distinct(params long[] dims)
    {
        var count = Count(dims);
        var order = Enumerable.Range(0, count).ToArray();
        Seeded(dims).Shuffle(order);
        return Floats(dims, (_, i) => count == 1 ? 0.5 : (2.0 * order[i] / (count - 1)) - 1);
    }

    /// <summary>These numbers.</summary>
    public static Arg Of(long[] dims, params double[] numbers) => new(ElementType.Float32, dims, numbers, false);

    /// <summary>Integers as a constant: axes, shapes, indices.</summary>
    public static Arg Longs(params long[] numbers) => LongsOf([numbers.Length], numbers);

    /// <summary>Integers of a shape, as a constant.</summary>
    public static Arg LongsOf(long[] dims, params long[] numbers) => new(ElementType.Int64, dims, Array.ConvertAll(numbers, static n => (double)n), true);

    /// <summary>Truth values, as a constant.</summary>
    public static Arg Bools(long[] dims, params bool[] values) => new(ElementType.Bool, dims, Array.ConvertAll(values, static v => v ? 1.0 : 0), true);

    /// <summary>A floating constant.</summary>
    public static Arg Constant(long[] dims, params double[] numbers) => new(ElementType.Float32, dims, numbers, true);

    /// <summary>The same numbers as a constant (fixed) instead of an input.</summary>
    public Arg Fixed() => this with { IsConstant = true };

    /// <summary>The same numbers as a graph input instead of a constant: how a graph sees indices that depend on data.</summary>
    public Arg Fed() => this with { IsConstant = false };

    /// <summary>The same numbers always in float32, whatever precision the case runs in: what operators with a fixed input type take.</summary>
    public bool IsAlwaysSingle { get; init; }

    /// <summary>The element type when the case runs in that precision.</summary>
    public ElementType TypeIn(ElementType precision) => Type == ElementType.Float32 && !IsAlwaysSingle ? precision : Type;

    /// <summary>The tensor when the case runs in that precision.</summary>
    public TensorData In(ElementType precision) => TypeIn(precision) switch
    {
        ElementType.Float64 => TensorData.Of(Numbers, Dims),
        ElementType.Float32 => TensorData.Of(Array.ConvertAll(Numbers, static n => (float)n), Dims),
        ElementType.Int64 => TensorData.Of(Array.ConvertAll(Numbers, static n => (long)n), Dims),
        ElementType.Int32 => new TensorData(ElementType.Int32, Dims, MemoryMarshal.AsBytes<int>(Array.ConvertAll(Numbers, static n => (int)n)).ToArray()),
        ElementType.Bool => TensorData.Of(Array.ConvertAll(Numbers, static n => n != 0), Dims),
        var other => throw new InvalidOperationException($"Cases have no inputs of {other}."),
    };

    private static Arg Floats(long[] dims, Func<Random, int, double> draw)
    {
        var random = Seeded(dims);
        return new Arg(ElementType.Float32, dims, [.. Enumerable.Range(0, Count(dims)).Select(i => draw(random, i))], false);
    }

    // A seed of the shape: two inputs of one case differ, and a case does not change when others do.
    private static Random Seeded(long[] dims) => new(dims.Aggregate(17, static (seed, d) => (seed * 31) + (int)d));

    private static int Count(long[] dims) => (int)dims.Aggregate(1L, static (n, d) => n * d);

    private static double Gaussian(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
