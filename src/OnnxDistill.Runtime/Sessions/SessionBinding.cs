using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Native;

namespace OnnxDistill.Runtime.Sessions;

/// <summary>A session whose inputs and outputs are tied to buffers; dispose of it before session and buffers.</summary>
/// <remarks>Nothing is copied where buffers lie in the session's own memory: the host's for the CPU, <see cref="DeviceMemory"/> for another device.
/// What lies in the host's memory is copied to another device at the start of each run, or back at its end.</remarks>
public sealed class SessionBinding : IDisposable
{
    private static long _liveCount;
    private readonly GraphSession _owner;
    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
    private readonly List<(string Name, OrtValue Value, bool OnHost)> _inputs = [];
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
        if (owner.Options.CudaGraph)
        {
            // ONNX Runtime's kOrtRunOptionsConfigCudaGraphAnnotation: it records a graph for each number, and replays the one of the run's number.
            GraphId = owner.NextGraphId();
            _options.AddRunConfigEntry("gpu_graph_id", GraphId.Value.ToString(CultureInfo.InvariantCulture));
        }
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

    /// <summary>The number of the CUDA graph that runs of this binding record and replay; null without <see cref="DeviceOptions.CudaGraph"/>.</summary>
    internal int? GraphId { get; }

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
        foreach (var (_, value, _) in _inputs)
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
            _inputs.Add((name, Wrap(view), view.Buffer.Memory is null));
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
        foreach (var (name, value, _) in _inputs.Where(static i => i.OnHost))
            _binding.BindInput(name, value);
        _binding.SynchronizeBoundInputs();
    }

    private static OrtValue Wrap(TensorView view) => OrtValue.CreateTensorValueWithData(
        view.Buffer.MemoryInfo, (TensorElementType)view.Type, view.Dims, view.Address, view.ByteCount);
}
