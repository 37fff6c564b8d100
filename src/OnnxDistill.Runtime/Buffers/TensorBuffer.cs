using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Runtime.Buffers;

/// <summary>One native allocation of typed elements, aligned to 64 bytes and zeroed at birth; whoever creates it disposes of it. It lies in the host's
/// memory, or in a device's (<see cref="DeviceMemory.Allocate"/>), where copies reach it and spans do not.</summary>
/// <remarks>Counts are <see cref="long"/> because a flat parameter vector may pass 2 GB; a <see cref="System.Span{T}"/> covers a chunk of it.
/// Not thread-safe: one owner at a time.</remarks>
public sealed unsafe class TensorBuffer : IDisposable
{
    /// <summary>Bytes that every allocation and every slot of a <see cref="FlatLayout"/> is aligned to: a cache line, one AVX-512 register.</summary>
    public const int Alignment = 64;

    private static long _liveCount;
    private readonly OrtValue? _owner;
    private void* _data;

    /// <summary>A zeroed buffer in the host's memory.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The type has no fixed size, or the count is negative.</exception>
    /// <exception cref="OutOfMemoryException">The memory is not there.</exception>
    public TensorBuffer(ElementType type, long count)
    {
        if (type.Size() == 0)
            throw new ArgumentOutOfRangeException(nameof(type), type, $"A buffer needs elements of a fixed size, {type} has none.");
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        (Type, Count) = (type, count);
        var bytes = checked((nuint)(count * type.Size()));
        // At least one line, so that an empty buffer has an address too.
        var allocated = Math.Max(bytes, Alignment);
        _data = NativeMemory.AlignedAlloc(allocated, Alignment);
        NativeMemory.Clear(_data, allocated);
        Interlocked.Increment(ref _liveCount);
    }

    internal TensorBuffer(ElementType type, long count, DeviceMemory memory)
    {
        (Type, Count, Memory) = (type, count, memory);
        (_owner, var address) = memory.AllocateTensor(type, count);
        _data = (void*)address;
        Interlocked.Increment(ref _liveCount);
        Clear();
    }

    /// <summary>Frees memory that its owner forgot; the live count still shows the leak in tests that look before a collection.</summary>
    ~TensorBuffer() => Free();

    /// <summary>Buffers not disposed of yet in this process; tests compare it before and after.</summary>
    public static long LiveCount => Interlocked.Read(ref _liveCount);

    /// <summary>The device whose memory it is; null for the host's.</summary>
    public DeviceMemory? Memory { get; }

    /// <summary>Type of the elements.</summary>
    public ElementType Type { get; }

    /// <summary>Number of elements.</summary>
    public long Count { get; }

    /// <summary>Number of bytes.</summary>
    public long ByteCount => Count * Type.Size();

    /// <summary>Whether <see cref="Dispose"/> has been called.</summary>
    public bool IsDisposed => _data is null;

    /// <summary>The address of the first element.</summary>
    /// <exception cref="ObjectDisposedException">The buffer is gone.</exception>
    internal nint Address => _data is not null ? (nint)_data : throw new ObjectDisposedException(
        nameof(TensorBuffer), $"This buffer of {Count} {Type} elements has been disposed of. Keep it alive as long as views, spans or bindings use it.");

    /// <summary>A chunk of the elements, without a copy. It must not outlive the buffer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The chunk lies outside the buffer.</exception>
    /// <exception cref="InvalidOperationException"><typeparamref name="T"/> has another size than the elements, or the elements lie on a device.</exception>
    public Span<T> Span<T>(long offset, int count) where T : unmanaged
    {
        CheckRange(offset, count);
        if (Memory is not null)
            throw new InvalidOperationException($"This buffer lies in the memory of {Memory.Device}, which the host does not see. Copy it: CopyTo, or CopyFrom into a buffer of the host.");
        if (sizeof(T) != Type.Size())
            throw new InvalidOperationException($"A buffer of {Type} cannot be seen as {typeof(T).Name}: elements have {Type.Size()} bytes.");
        return new Span<T>((T*)Address + offset, count);
    }

    /// <summary>All elements, without a copy; for buffers of fewer than 2^31 elements.</summary>
    /// <exception cref="InvalidOperationException">There are too many elements, or <typeparamref name="T"/> has another size.</exception>
    public Span<T> Span<T>() where T : unmanaged => Count <= int.MaxValue
        ? Span<T>(0, (int)Count)
        : throw new InvalidOperationException($"A buffer of {Count} elements does not fit one span; walk it in chunks.");

    /// <summary>A part of the buffer seen as a tensor of these extents, without a copy.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The tensor reaches outside the buffer.</exception>
    public TensorView View(long offset, long[] dims)
    {
        var view = new TensorView(this, offset, dims);
        CheckRange(offset, view.Count);
        return view;
    }

    /// <summary>The whole buffer as a tensor of these extents.</summary>
    /// <exception cref="ArgumentException">The extents do not give the buffer's number of elements.</exception>
    public TensorView View(params long[] dims)
    {
        var view = View(0, dims);
        return view.Count == Count ? view
            : throw new ArgumentException($"The extents [{string.Join(", ", dims)}] have {view.Count} elements, the buffer has {Count}.", nameof(dims));
    }

    /// <summary>Copies all elements of another buffer of the same type and count.</summary>
    /// <exception cref="ArgumentException">Type or count differ.</exception>
    public void CopyFrom(TensorBuffer source)
    {
        if (source.Type != Type || source.Count != Count)
            throw new ArgumentException($"A buffer of {source.Count} {source.Type} cannot be copied into one of {Count} {Type}.", nameof(source));
        CopyBytes(source.Address, source.MemoryInfo, Address, MemoryInfo, ByteCount, source.Memory);
    }

    /// <summary>Copies elements in, from <paramref name="offset"/> on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They do not fit.</exception>
    public void CopyFrom<T>(ReadOnlySpan<T> source, long offset = 0) where T : unmanaged
    {
        CheckCopy<T>(offset, source.Length);
        fixed (T* data = source)
            CopyBytes((nint)data, OrtMemoryInfo.DefaultInstance, AddressOf(offset), MemoryInfo, (long)source.Length * sizeof(T));
    }

    /// <summary>Copies elements out, from <paramref name="offset"/> on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many.</exception>
    public void CopyTo<T>(Span<T> target, long offset = 0) where T : unmanaged
    {
        CheckCopy<T>(offset, target.Length);
        fixed (T* data = target)
            CopyBytes(AddressOf(offset), MemoryInfo, (nint)data, OrtMemoryInfo.DefaultInstance, (long)target.Length * sizeof(T));
    }

    /// <summary>Sets every byte to zero.</summary>
    public void Clear()
    {
        if (Memory is null)
        {
            NativeMemory.Clear((void*)Address, (nuint)ByteCount);
            return;
        }
        const int chunk = 1 << 22;
        var zeros = NativeMemory.AllocZeroed((nuint)Math.Min(chunk, Math.Max(1, ByteCount)));
        try
        {
            for (long at = 0; at < ByteCount; at += chunk)
                CopyBytes((nint)zeros, OrtMemoryInfo.DefaultInstance, Address + (nint)at, MemoryInfo, Math.Min(chunk, ByteCount - at));
        }
        finally
        {
            NativeMemory.Free(zeros);
        }
    }

    /// <summary>Frees the memory; a second call does nothing.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Where ONNX Runtime is told that the memory lies.</summary>
    internal OrtMemoryInfo MemoryInfo => Memory?.Info ?? OrtMemoryInfo.DefaultInstance;

    /// <summary>Copies between two places; a device's memory on either side makes the copy.</summary>
    internal void CopyBytes(nint source, OrtMemoryInfo sourceInfo, nint target, OrtMemoryInfo targetInfo, long bytes, DeviceMemory? other = null)
    {
        if ((Memory ?? other) is { } device)
            device.Copy(source, sourceInfo, target, targetInfo, bytes);
        else
            Buffer.MemoryCopy((void*)source, (void*)target, bytes, bytes);
    }

    private nint AddressOf(long offset) => Address + checked((nint)(offset * Type.Size()));

    private void CheckCopy<T>(long offset, int count) where T : unmanaged
    {
        CheckRange(offset, count);
        if (sizeof(T) != Type.Size())
            throw new InvalidOperationException($"A buffer of {Type} cannot be copied as {typeof(T).Name}: elements have {Type.Size()} bytes.");
    }

    private void CheckRange(long offset, long count)
    {
        if (offset < 0 || count < 0 || offset > Count - count)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"{count} elements from {offset} on reach outside a buffer of {Count}.");
    }

    private void Free()
    {
        if (_data is null)
            return;
        if (_owner is null)
            NativeMemory.AlignedFree(_data);
        else
            _owner.Dispose();
        _data = null;
        Interlocked.Decrement(ref _liveCount);
    }
}
