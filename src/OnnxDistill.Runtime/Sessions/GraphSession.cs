using Microsoft.ML.OnnxRuntime;
using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Native;

namespace OnnxDistill.Runtime.Sessions;

/// <summary>A graph made ready to run on a device; whoever creates it disposes of it, after its bindings.</summary>
/// <remarks>Runs of one session may overlap; its bindings are for one thread each.</remarks>
public sealed class GraphSession : IDisposable
{
    private const long MostInlineBytes = 1_500_000_000;

    private static long _liveCount;
    private readonly InferenceSession _session;
    private int _graphIds;
    private bool _disposed;

    private GraphSession(string what, DeviceOptions? options, Func<SessionOptions, InferenceSession> create)
    {
        Options = options ?? new DeviceOptions();
        What = what;
        Device = Device.Parse(Options.Device);
        using var native = SessionOptionsFactory.Create(Options);
        try
        {
            _session = create(native);
        }
        catch (OnnxRuntimeException e)
        {
            throw OrtMessages.NotCreated(what, e);
        }
        Inputs = [.. _session.InputNames.Select(n => Port.From(n, _session.InputMetadata[n]))];
        Outputs = [.. _session.OutputNames.Select(n => Port.From(n, _session.OutputMetadata[n]))];
        Interlocked.Increment(ref _liveCount);
    }

    /// <summary>Sessions not disposed of yet in this process; tests compare it before and after.</summary>
    public static long LiveCount => Interlocked.Read(ref _liveCount);

    /// <summary>The graph, in words, as messages name it.</summary>
    public string What { get; }

    /// <summary>Where it runs.</summary>
    public Device Device { get; }

    /// <summary>How it runs.</summary>
    public DeviceOptions Options { get; }

    /// <summary>What it takes, in the graph's order.</summary>
    public IReadOnlyList<Port> Inputs { get; }

    /// <summary>What it gives, in the graph's order.</summary>
    public IReadOnlyList<Port> Outputs { get; }

    /// <summary>A session over the bytes of an ONNX file.</summary>
    /// <param name="model">The bytes.</param>
    /// <param name="options">Where and how; the CPU by default.</param>
    /// <param name="what">The graph in words, for messages.</param>
    /// <exception cref="ModelFileException">ONNX Runtime does not accept the model.</exception>
    /// <exception cref="UnsupportedOpException">The model has operators that ONNX Runtime does not know.</exception>
    /// <exception cref="RuntimeUnavailableException">ONNX Runtime or the device is missing.</exception>
    public static GraphSession Create(byte[] model, DeviceOptions? options = null, string what = "the model") =>
        new(what, options, native => new InferenceSession(model, native));

    /// <summary>A session over a model in memory.</summary>
    /// <param name="model">The model; later changes to it do not reach the session.</param>
    /// <param name="options">Where and how; the CPU by default.</param>
    /// <param name="what">The graph in words, for messages; its name by default.</param>
    /// <exception cref="ModelFileException">ONNX Runtime does not accept the model.</exception>
    /// <exception cref="UnsupportedOpException">The model has operators that ONNX Runtime does not know.</exception>
    /// <exception cref="RuntimeUnavailableException">ONNX Runtime or the device is missing.</exception>
    public static GraphSession Create(OnnxModel model, DeviceOptions? options = null, string? what = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        what ??= $"the graph '{model.Graph.Name}'";
        if (options is { KeepOrder: true })
        {
            model = OrderedModel.Optimize(model, options, what);
            options = options with { KeepOrder = false, Optimization = GraphOptimization.None };
        }
        if (model.Graph.Initializers.Sum(static v => v.Constant is { } data ? data.Type.Size() * data.ElementCount : 0) <= MostInlineBytes)
            return Create(OnnxWriter.ToBytes(model), options, what);
        // Too large for one protobuf message: through a file with external data, which ONNX Runtime maps and we can delete at once.
        using var folder = new PrivateFolder();
        var path = folder.File("model.onnx");
        OnnxWriter.Write(model, path);
        return new GraphSession(what, options, native => new InferenceSession(path, native));
    }

    /// <summary>A session over an ONNX file, which may have external data beside it.</summary>
    /// <exception cref="ModelFileException">The file is missing or ONNX Runtime does not accept it.</exception>
    /// <exception cref="UnsupportedOpException">The model has operators that ONNX Runtime does not know.</exception>
    /// <exception cref="RuntimeUnavailableException">ONNX Runtime or the device is missing.</exception>
    public static GraphSession Load(string path, DeviceOptions? options = null) => File.Exists(path)
        ? new GraphSession($"'{path}'", options, native => new InferenceSession(path, native))
        : throw new ModelFileException($"The model file '{path}' does not exist. Check the path.");

    /// <summary>Runs once with copies of inputs and outputs: for tests, verification and small tools. Training binds buffers instead.</summary>
    /// <param name="feeds">A tensor for every input.</param>
    /// <param name="outputs">The outputs wanted, or null for all.</param>
    /// <exception cref="ArgumentException">Names, types or shapes do not fit; all faults at once.</exception>
    /// <exception cref="GraphRunException">ONNX Runtime failed.</exception>
    public IReadOnlyDictionary<string, TensorData> Run(IReadOnlyDictionary<string, TensorData> feeds, IReadOnlyCollection<string>? outputs = null)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var wanted = outputs ?? [.. Outputs.Select(o => o.Name)];
        var check = new FeedCheck(What);
        check.Compare(Inputs, feeds.ToDictionary(f => f.Key, f => (f.Value.Type, f.Value.Dims)), "input", all: true);
        check.Names(Outputs, wanted, "output");
        check.ThrowIfAny();
        return CopyingRun.Run(_session, What, feeds, wanted);
    }

    /// <summary>Ties inputs and outputs to buffers once, so that runs move no data and name nothing.</summary>
    /// <param name="inputs">A view for every input.</param>
    /// <param name="outputs">A view for each output that is wanted; none may share memory with an input or another output.</param>
    /// <exception cref="ArgumentException">Names, types, shapes do not fit, or memory overlaps; all faults at once.</exception>
    public SessionBinding Bind(IEnumerable<KeyValuePair<string, TensorView>> inputs, IEnumerable<KeyValuePair<string, TensorView>> outputs)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new SessionBinding(this, _session, [.. inputs], [.. outputs]);
    }

    /// <summary>Ends profiling and gives the path of the file that was written.</summary>
    /// <exception cref="InvalidOperationException">The session was created without <see cref="DeviceOptions.ProfilePrefix"/>.</exception>
    public string EndProfiling() => Options.ProfilePrefix is not null
        ? _session.EndProfiling()
        : throw new InvalidOperationException("This session does not profile; set DeviceOptions.ProfilePrefix when creating it.");

    /// <summary>Frees the graph; a second call does nothing.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _session.Dispose();
        Interlocked.Decrement(ref _liveCount);
    }

    /// <summary>The file's metadata: a copy, made at each call.</summary>
    internal IReadOnlyDictionary<string, string> Metadata => new Dictionary<string, string>(_session.ModelMetadata.CustomMetadataMap, StringComparer.Ordinal);

    /// <summary>Whether <see cref="Dispose"/> has been called.</summary>
    internal bool IsDisposed => _disposed;

    /// <summary>The session's allocator of that memory; the caller disposes of it before the session.</summary>
    internal OrtAllocator AllocatorOf(OrtMemoryInfo info) => new(_session, info);

    /// <summary>Runs on one input and one output that lie wherever they lie.</summary>
    /// <exception cref="GraphRunException">ONNX Runtime failed.</exception>
    internal void RunOnce(string input, OrtValue from, string output, OrtValue to)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var binding = _session.CreateIoBinding();
        using var options = new RunOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        try
        {
            binding.BindInput(input, from);
            binding.BindOutput(output, to);
            binding.SynchronizeBoundInputs();
            _session.RunWithBinding(options, binding);
            binding.SynchronizeBoundOutputs();
        }
        catch (OnnxRuntimeException e)
        {
            throw OrtMessages.NotRun(What, e);
        }
    }

    /// <summary>A number for each binding under <see cref="DeviceOptions.CudaGraph"/>: a recorded graph holds its binding's addresses.</summary>
    internal int NextGraphId() => Interlocked.Increment(ref _graphIds);
}
