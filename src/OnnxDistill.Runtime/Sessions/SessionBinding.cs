using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Native;

namespace OnnxDistill.Runtime.Sessions;

/// <summary>A session whose inputs and outputs are tied to buffers; dispose of it before session and buffers.</summary>
/// <remarks>On a CPU session nothing is copied. A session on another device copies inputs there at the start of each run and outputs back at
/// its end, because the buffers are the host's memory.</remarks>
public sealed class SessionBinding : IDisposable
{
    private static long _liveCount;
    private readonly GraphSession _owner;
    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
    private readonly List<(string Name, OrtValue Value)> _inputs = [];
    private readonly List<OrtValue> _outputs = [];
    private readonly TensorBuffer[] _buffers;
    private bool _disposed;

    internal SessionBinding(GraphSession owner, InferenceSession session, KeyValuePair<string, TensorView>[] inputs,
        KeyValuePair<string, TensorView>[] outputs)
    {
        BindingCheck.Check(owner, inputs, outputs);
        (_owner, _session) = (owner, session);
        _buffers = [.. inputs.Concat(outputs).Select(p => p.Value.Buffer).Distinct()];
        _binding = session.CreateIoBinding();
        Interlocked.Increment(ref _liveCount);
        try
        {
            Tie(inputs, outputs);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bindings not disposed of yet in this process; tests compare it before and after.</summary>
    public static long LiveCount => Interlocked.Read(ref _liveCount);

    /// <summary>Runs the graph on what the buffers hold now.</summary>
    /// <exception cref="ObjectDisposedException">The binding, its session or one of its buffers is gone.</exception>
    /// <exception cref="GraphRunException">ONNX Runtime failed.</exception>
    public void Run()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ObjectDisposedException.ThrowIf(_owner.IsDisposed, _owner);
        foreach (var buffer in _buffers)
            _ = buffer.Address;
        try
        {
            if (_owner.Device.Kind != DeviceKind.Cpu)
                CopyInputsToDevice();
            _session.RunWithBinding(_options, _binding);
        }
        catch (OnnxRuntimeException e)
        {
            throw OrtMessages.NotRun(_owner.What, e);
        }
    }

    /// <summary>Unties everything; session and buffers live on. A second call does nothing.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _binding.Dispose();
        foreach (var (_, value) in _inputs)
            value.Dispose();
        foreach (var value in _outputs)
            value.Dispose();
        _options.Dispose();
        Interlocked.Decrement(ref _liveCount);
    }

    private void Tie(KeyValuePair<string, TensorView>[] inputs, KeyValuePair<string, TensorView>[] outputs)
    {
        foreach (var (name, view) in inputs)
        {
            _inputs.Add((name, Wrap(view)));
            _binding.BindInput(name, _inputs[^1].Value);
        }
        foreach (var (name, view) in outputs)
        {
            _outputs.Add(Wrap(view));
            _binding.BindOutput(name, _outputs[^1]);
        }
    }

    /// <summary>ONNX Runtime copies a bound host input to the device when it is bound, not when the graph runs.</summary>
    private void CopyInputsToDevice()
    {
        foreach (var (name, value) in _inputs)
            _binding.BindInput(name, value);
        _binding.SynchronizeBoundInputs();
    }

    private static OrtValue Wrap(TensorView view) => OrtValue.CreateTensorValueWithData(
        OrtMemoryInfo.DefaultInstance, (TensorElementType)view.Type, view.Dims, view.Address, view.ByteCount);
}
