using OnnxDistill.Graph.Model;

namespace OnnxDistill.Runtime.Buffers;

/// <summary>
/// A small tensor that the host writes or reads and a device works on: noise, scalars, a loss. In the host's memory, with a twin on the device
/// when that has memory of its own; the twin's address never changes, as CUDA graphs want it. Owns its buffers.
/// </summary>
public sealed class StagedBuffer : IDisposable
{
    /// <summary>A zeroed buffer.</summary>
    /// <param name="type">Type of the elements.</param>
    /// <param name="count">Number of elements.</param>
    /// <param name="memory">The device's memory; null when the device works on the host's.</param>
    public StagedBuffer(ElementType type, long count, DeviceMemory? memory)
    {
        OnHost = new TensorBuffer(type, count);
        OnDevice = memory is null ? OnHost : memory.Allocate(type, count);
    }

    /// <summary>What the host writes and reads.</summary>
    public TensorBuffer OnHost { get; }

    /// <summary>What sessions are bound to.</summary>
    public TensorBuffer OnDevice { get; }

    /// <summary>Brings the host's numbers to the device.</summary>
    public void Upload()
    {
        if (OnDevice != OnHost)
            OnDevice.CopyFrom(OnHost);
    }

    /// <summary>Brings the device's numbers to the host.</summary>
    public void Download()
    {
        if (OnDevice != OnHost)
            OnHost.CopyFrom(OnDevice);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        OnDevice.Dispose();
        OnHost.Dispose();
    }
}
