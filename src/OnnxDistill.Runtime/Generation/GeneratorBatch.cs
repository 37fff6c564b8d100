using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Runtime.Generation;

/// <summary>A generator bound to buffers of its own for one batch size: a run allocates nothing. For one thread at a time; owns buffers and binding.</summary>
internal sealed class GeneratorBatch : IDisposable
{
    private readonly TensorBuffer _latents, _labels, _samples;
    private readonly SessionBinding _binding;

    /// <summary>Buffers for that many samples.</summary>
    public GeneratorBatch(GraphSession session, GeneratorForm form, int count)
    {
        Count = count;
        _latents = Buffer(form.Latent, count, out var latents);
        _labels = new TensorBuffer(ElementType.Int64, form.Label is null ? 0 : count);
        _samples = Buffer(form.Sample, count, out var samples);
        var inputs = new Dictionary<string, TensorView>(StringComparer.Ordinal) { [form.Latent.Name] = latents };
        if (form.Label is not null)
            inputs[form.Label.Name] = _labels.View(count);
        try
        {
            _binding = session.Bind(inputs, [KeyValuePair.Create(form.Sample.Name, samples)]);
        }
        catch
        {
            Free();
            throw;
        }
    }

    /// <summary>Samples of a run.</summary>
    public int Count { get; }

    /// <summary>The latents of the next run.</summary>
    public Span<float> Latents => _latents.Span<float>();

    /// <summary>The classes of the next run; empty where the generator has none.</summary>
    public Span<long> Labels => _labels.Span<long>();

    /// <summary>What the last run gave.</summary>
    public ReadOnlySpan<T> Samples<T>() where T : unmanaged => _samples.Span<T>();

    /// <summary>Runs the generator.</summary>
    /// <exception cref="GraphRunException">ONNX Runtime failed.</exception>
    public void Run() => _binding.Run();

    /// <inheritdoc/>
    public void Dispose()
    {
        _binding.Dispose();
        Free();
    }

    private void Free()
    {
        _latents.Dispose();
        _labels.Dispose();
        _samples.Dispose();
    }

    private static TensorBuffer Buffer(Port port, int count, out TensorView view)
    {
        long[] dims = [count, .. port.Shape.Skip(1).Select(static d => d.Size)];
        var buffer = new TensorBuffer(port.Type, dims.Aggregate(1L, static (n, d) => checked(n * d)));
        view = buffer.View(dims);
        return buffer;
    }
}
