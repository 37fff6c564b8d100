using System.Runtime.InteropServices;

namespace OnnxDistill.Graph.Model;

/// <summary>Typed little-endian bytes of a constant tensor. Bytes of an external file are read when first asked for.</summary>
public sealed class TensorData
{
    private readonly Lazy<ReadOnlyMemory<byte>> _bytes;

    private TensorData(ElementType type, long[] dims, Lazy<ReadOnlyMemory<byte>> bytes) => (Type, Dims, _bytes) = (type, dims, bytes);

    /// <summary>A tensor over these bytes.</summary>
    /// <exception cref="ArgumentException">The number of bytes does not fit type and dims.</exception>
    public TensorData(ElementType type, long[] dims, ReadOnlyMemory<byte> bytes) : this(type, dims, new Lazy<ReadOnlyMemory<byte>>(bytes))
    {
        if (type.Size() * ElementCount != bytes.Length)
            throw new ArgumentException($"A tensor of {type} and shape {Shape} needs {type.Size() * ElementCount} bytes, found {bytes.Length}.");
    }

    /// <summary>A text tensor.</summary>
    public TensorData(long[] dims, string[] strings) : this(ElementType.Text, dims, new Lazy<ReadOnlyMemory<byte>>(default(ReadOnlyMemory<byte>))) =>
        Strings = strings;

    /// <summary>Element type.</summary>
    public ElementType Type { get; }

    /// <summary>Extents; empty for a scalar.</summary>
    public long[] Dims { get; }

    /// <summary>The shape.</summary>
    public Shape Shape => Shape.Of(Dims);

    /// <summary>The elements of a text tensor, else null.</summary>
    public string[]? Strings { get; }

    /// <summary>Number of elements.</summary>
    public long ElementCount => Dims.Aggregate(1L, static (a, b) => checked(a * b));

    /// <summary>The raw little-endian bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.Value.Span;

    /// <summary>The raw little-endian bytes as memory.</summary>
    public ReadOnlyMemory<byte> Memory => _bytes.Value;

    /// <summary>A tensor whose bytes are loaded on first use; <paramref name="load"/> must return exactly the right number.</summary>
    public static TensorData Deferred(ElementType type, long[] dims, Func<ReadOnlyMemory<byte>> load) =>
        new(type, dims, new Lazy<ReadOnlyMemory<byte>>(load));

    /// <summary>A tensor of float32.</summary>
    public static TensorData Of(ReadOnlySpan<float> data, params long[] dims) => Copy(ElementType.Float32, data, dims);

    /// <summary>A tensor of float64.</summary>
    public static TensorData Of(ReadOnlySpan<double> data, params long[] dims) => Copy(ElementType.Float64, data, dims);

    /// <summary>A tensor of int64.</summary>
    public static TensorData Of(ReadOnlySpan<long> data, params long[] dims) => Copy(ElementType.Int64, data, dims);

    /// <summary>A tensor of booleans.</summary>
    public static TensorData Of(ReadOnlySpan<bool> data, params long[] dims) => Copy(ElementType.Bool, data, dims);

    /// <summary>A float scalar of the given floating type.</summary>
    /// <exception cref="ArgumentException">The type is not a floating one.</exception>
    public static TensorData Scalar(double value, ElementType type = ElementType.Float32) => type switch
    {
        ElementType.Float32 => Of([(float)value], []),
        ElementType.Float64 => Of([value], []),
        ElementType.Float16 => Copy(type, [(Half)value], []),
        _ => throw new ArgumentException($"A floating scalar of type {type} cannot be made."),
    };

    /// <summary>The elements as a span of the matching .NET type, without a copy.</summary>
    /// <exception cref="InvalidOperationException">The element sizes differ.</exception>
    public ReadOnlySpan<T> As<T>() where T : unmanaged => Marshal.SizeOf<T>() == Type.Size() || (typeof(T) == typeof(bool) && Type == ElementType.Bool)
        ? MemoryMarshal.Cast<byte, T>(Bytes)
        : throw new InvalidOperationException($"A tensor of {Type} cannot be read as {typeof(T).Name}.");

    /// <summary>The elements of an integer tensor (int64 or int32) as longs.</summary>
    /// <exception cref="InvalidOperationException">It holds no integers.</exception>
    public long[] ToLongs() => Type switch
    {
        ElementType.Int64 => As<long>().ToArray(),
        ElementType.Int32 => Array.ConvertAll(As<int>().ToArray(), static i => (long)i),
        _ => throw new InvalidOperationException($"Expected a tensor of integers, found {Type}{Shape}."),
    };

    /// <summary>The elements of a floating tensor, widened to double.</summary>
    /// <exception cref="InvalidOperationException">It holds no floating-point numbers.</exception>
    public double[] ToDoubles() => Type switch
    {
        ElementType.Float32 => Array.ConvertAll(As<float>().ToArray(), static f => (double)f),
        ElementType.Float64 => As<double>().ToArray(),
        ElementType.Float16 => Array.ConvertAll(As<Half>().ToArray(), static h => (double)h),
        ElementType.BFloat16 => Array.ConvertAll(As<ushort>().ToArray(), static u => (double)BitConverter.Int32BitsToSingle(u << 16)),
        _ => throw new InvalidOperationException($"Expected a tensor of floating-point numbers, found {Type}{Shape}."),
    };

    /// <summary>The tensor as float32; the same object when it already is.</summary>
    public TensorData ToFloat32() =>
        Type == ElementType.Float32 ? this : Of(Array.ConvertAll(ToDoubles(), static d => (float)d), Dims);

    /// <summary>The tensor as float16, rounded to the nearest; the same object when it already is.</summary>
    public TensorData ToFloat16() =>
        Type == ElementType.Float16 ? this : Copy<Half>(ElementType.Float16, Array.ConvertAll(ToDoubles(), static d => (Half)d), Dims);

    private static TensorData Copy<T>(ElementType type, ReadOnlySpan<T> data, long[] dims) where T : unmanaged =>
        new(type, dims, MemoryMarshal.AsBytes(data).ToArray());
}
