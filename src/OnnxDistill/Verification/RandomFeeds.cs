using OnnxDistill.Graph;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Verification;

/// <summary>Tensors for the inputs of a graph about which nothing is known.</summary>
internal static class RandomFeeds
{
    /// <summary>Integers run below this: as labels and indices they fit nearly every table.</summary>
    private const long IntegerBound = 2;

    /// <summary>A tensor for an input: normal numbers; for floating scalars and vectors, which are mostly times and noise levels, uniform ones
    /// from 0.25 to 0.75; small integers; random truth values.</summary>
    /// <exception cref="UnsupportedOpException">The element type is none of these.</exception>
    public static TensorData For(Value input, long seed) => input.Type switch
    {
        ElementType.Float32 or ElementType.Float64 when input.Shape.Rank < 2 =>
            Floats(input, seed, static (noise, target) => noise.FillUniform(target, 0), static u => 0.25 + (u / 2)),
        ElementType.Float32 or ElementType.Float64 => Normal(input, seed),
        ElementType.Int64 => TensorData.Of(Integers(input, seed), input.Shape.Sizes()),
        ElementType.Int32 => new TensorData(ElementType.Int32, input.Shape.Sizes(), Integers(input, seed).SelectMany(static i => BitConverter.GetBytes((int)i)).ToArray()),
        ElementType.Bool => TensorData.Of(Array.ConvertAll(Integers(input, seed), static i => i == 1), input.Shape.Sizes()),
        _ => throw new UnsupportedOpException($"The input {input} has elements for which no random numbers are made. Give it with --feeds, or export the model in float32."),
    };

    /// <summary>Normal numbers of the value's type and shape.</summary>
    public static TensorData Normal(Value value, long seed) =>
        Floats(value, seed, static (noise, target) => noise.FillNormal(target, 0), static x => x);

    private static TensorData Floats(Value value, long seed, Action<NoiseStream, float[]> fill, Func<double, double> map)
    {
        var draws = new float[value.Shape.ElementCount];
        fill(Stream(value, seed), draws);
        var numbers = Array.ConvertAll(draws, x => map(x));
        return value.Type == ElementType.Float64
            ? TensorData.Of(numbers, value.Shape.Sizes())
            : TensorData.Of(Array.ConvertAll(numbers, static x => (float)x), value.Shape.Sizes());
    }

    private static long[] Integers(Value value, long seed)
    {
        var numbers = new long[value.Shape.ElementCount];
        Stream(value, seed).FillIntegers(numbers, IntegerBound, 0);
        return numbers;
    }

    private static NoiseStream Stream(Value value, long seed) => new(seed, StreamId.Named($"feed/{value.Name}"));
}
