using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Runtime.Buffers;

/// <summary>
/// A device's own memory: makes buffers there with ONNX Runtime's allocator, and copies. Copies are runs of a graph of one Identity whose input
/// and output are bound to the two sides, because that works with every provider. Dispose of it after its buffers.
/// </summary>
/// <remarks>Not thread-safe for copies of one buffer; different buffers may be copied at the same time.</remarks>
public sealed class DeviceMemory : IDisposable
{
    private const string From = "from", To = "to";
    private static readonly Dim Length = Dim.Named("bytes");

    private readonly GraphSession _copies;
    private readonly OrtMemoryInfo _info;
    private readonly OrtAllocator _allocator;

    /// <summary>The memory of the device that the options name. For the CPU it is memory that only sessions and copies reach: tests use it as a stand-in.</summary>
    /// <exception cref="RuntimeUnavailableException">ONNX Runtime or the device is missing.</exception>
    public DeviceMemory(DeviceOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _copies = GraphSession.Create(CopyGraph(), options with { CudaGraph = false, ProfilePrefix = null, OptimizedModelPath = null, Optimization = GraphOptimization.None });
        _info = InfoOf(_copies.Device);
        _allocator = _copies.AllocatorOf(_info);
    }

    /// <summary>The device.</summary>
    public Device Device => _copies.Device;

    /// <summary>A zeroed buffer on the device.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The elements are neither float32 nor int64, or the count is negative or 2^31 or more.</exception>
    public TensorBuffer Allocate(ElementType type, long count) => new(type, count, this);

    /// <summary>Where ONNX Runtime is told that the memory lies.</summary>
    internal OrtMemoryInfo Info => _info;

    /// <summary>The memory of one buffer: a tensor that ONNX Runtime owns, at least one element long so that it has an address.</summary>
    internal unsafe (OrtValue Owner, nint Address) AllocateTensor(ElementType type, long count)
    {
        if (type is not (ElementType.Float32 or ElementType.Int64))
            throw new ArgumentOutOfRangeException(nameof(type), type, "Buffers on a device hold float32 or int64.");
        if (count is < 0 or > int.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(count), count, "A buffer on a device holds up to 2^31 - 1 elements.");
        var owner = OrtValue.CreateAllocatedTensorValue(_allocator, (TensorElementType)type, [Math.Max(1, count)]);
        // A span over memory of the device: only its address is taken, nothing is read.
        ref var first = ref type == ElementType.Float32
            ? ref Unsafe.As<float, byte>(ref MemoryMarshal.GetReference(owner.GetTensorMutableDataAsSpan<float>()))
            : ref Unsafe.As<long, byte>(ref MemoryMarshal.GetReference(owner.GetTensorMutableDataAsSpan<long>()));
        return (owner, (nint)Unsafe.AsPointer(ref first));
    }

    /// <summary>Copies bytes between places of which at least one is this device's memory, and waits for the end.</summary>
    internal void Copy(nint source, OrtMemoryInfo sourceInfo, nint target, OrtMemoryInfo targetInfo, long bytes)
    {
        if (bytes == 0)
            return;
        using var from = OrtValue.CreateTensorValueWithData(sourceInfo, TensorElementType.UInt8, [bytes], source, bytes);
        using var to = OrtValue.CreateTensorValueWithData(targetInfo, TensorElementType.UInt8, [bytes], target, bytes);
        _copies.RunOnce(From, from, To, to);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _allocator.Dispose();
        if (_info != OrtMemoryInfo.DefaultInstance)
            _info.Dispose();
        _copies.Dispose();
    }

    private static OrtMemoryInfo InfoOf(Device device) => device.Kind == DeviceKind.Cpu ? OrtMemoryInfo.DefaultInstance
        : new OrtMemoryInfo(OrtMemoryInfo.allocatorCUDA, OrtAllocatorType.DeviceAllocator, device.Index, OrtMemType.Default);

    private static OnnxModel CopyGraph()
    {
        var b = new GraphBuilder("copy");
        b.Output(To, b.Identity(b.Input(From, ElementType.UInt8, Shape.Of(Length))));
        return new OnnxModel(b.Graph);
    }
}
