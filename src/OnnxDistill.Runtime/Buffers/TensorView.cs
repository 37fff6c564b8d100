using Microsoft.ML.OnnxRuntime;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Runtime.Buffers;

/// <summary>A tensor inside a buffer: no memory of its own, valid as long as the buffer lives.</summary>
/// <param name="Buffer">Where the elements are.</param>
/// <param name="Offset">First element, counted in elements.</param>
/// <param name="Dims">Extents; empty for a scalar; read-only.</param>
public readonly record struct TensorView(TensorBuffer Buffer, long Offset, long[] Dims)
{
    /// <summary>Type of the elements.</summary>
    public ElementType Type => Buffer.Type;

    /// <summary>Number of elements.</summary>
    public long Count => Dims.Aggregate(1L, static (a, b) => checked(a * b));

    /// <summary>The shape.</summary>
    public Shape Shape => Shape.Of(Dims);

    /// <summary>The elements without a copy; for tensors of fewer than 2^31 elements.</summary>
    public Span<T> Span<T>() where T : unmanaged => Buffer.Span<T>(Offset, checked((int)Count));

    /// <summary>The address of the first element.</summary>
    internal nint Address => Buffer.Address + checked((nint)(Offset * Type.Size()));

    /// <summary>Number of bytes.</summary>
    internal long ByteCount => Count * Type.Size();

    /// <summary>Copies a constant in.</summary>
    /// <exception cref="ArgumentException">Type or number of elements differ.</exception>
    public void CopyFrom(TensorData data)
    {
        if (data.Type != Type || data.ElementCount != Count)
            throw new ArgumentException($"A tensor of {data.Type}{data.Shape} cannot be copied into a view of {Type}{Shape}.", nameof(data));
        unsafe
        {
            fixed (byte* bytes = data.Bytes)
                Buffer.CopyBytes((nint)bytes, OrtMemoryInfo.DefaultInstance, Address, Buffer.MemoryInfo, ByteCount);
        }
    }

    /// <summary>A copy of the elements.</summary>
    public unsafe TensorData ToData()
    {
        var copy = new byte[ByteCount];
        fixed (byte* bytes = copy)
            Buffer.CopyBytes(Address, Buffer.MemoryInfo, (nint)bytes, OrtMemoryInfo.DefaultInstance, ByteCount);
        return new TensorData(Type, [.. Dims], copy);
    }
}
