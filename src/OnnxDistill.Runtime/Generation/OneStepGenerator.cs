using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Runtime.Generation;

/// <summary>
/// A one-step generator in an app: a file that <c>onnxdistill</c> wrote, ready to draw. Any number of threads may draw at once. After the first calls of a size
/// nothing is allocated but what is returned. Whoever loads it disposes of it, after its calls; one that still runs ends its batch first.
/// </summary>
/// <remarks>The app references a package with ONNX Runtime's native library (Microsoft.ML.OnnxRuntime, .Gpu, ...). Sample i of a seed is the one that
/// <c>onnxdistill sample --seed</c> draws, however many are drawn at once, up to rounding: ONNX Runtime's kernels may round the last bits another way at another batch size.</remarks>
public sealed partial class OneStepGenerator : IDisposable
{
    private readonly GeneratorPool _pool;
    private readonly GeneratorForm _form;

    private OneStepGenerator(GraphSession session)
    {
        try
        {
            _form = GeneratorForm.Of(session);
            Metadata = session.Metadata;
            (NumbersOfSample, NumbersOfLatent) = (Product(_form.DataShape), Product(_form.LatentShape));
            // As many as the results of a layer stay in a core's cache for, as in 'onnxdistill sample'.
            _pool = new GeneratorPool(session, _form, NumbersOfSample <= 64 ? 256 : 16);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Number of classes; 0 where a generator has none.</summary>
    public int Labels => _form.Labels;

    /// <summary>Extents of one latent.</summary>
    public ReadOnlySpan<int> LatentShape => _form.LatentShape;

    /// <summary>Extents of one sample: [channels, height, width] of an image, [d] of a point.</summary>
    public ReadOnlySpan<int> DataShape => _form.DataShape;

    /// <summary>Whether samples are images.</summary>
    public bool DrawsImages => _form.DataShape.Length == 3;

    /// <summary>Pixels of an image's row.</summary>
    /// <exception cref="InvalidOperationException">Samples are no images.</exception>
    public int Width => Image[2];

    /// <summary>Rows of an image.</summary>
    /// <exception cref="InvalidOperationException">Samples are no images.</exception>
    public int Height => Image[1];

    /// <summary>Channels of an image.</summary>
    /// <exception cref="InvalidOperationException">Samples are no images.</exception>
    public int Channels => Image[0];

    /// <summary>Numbers of one sample: bytes of an image's pixels, coordinates of a point.</summary>
    public int NumbersOfSample { get; }

    /// <summary>Numbers of one latent.</summary>
    public int NumbersOfLatent { get; }

    /// <summary>The file's metadata: <c>onnxdistill.method</c>, <c>onnxdistill.teacher_licence</c>, ...</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    private int[] Image => DrawsImages ? _form.DataShape : throw new InvalidOperationException(
        $"This generator draws samples of shape [{string.Join(", ", _form.DataShape)}], no images. Take its numbers: {nameof(SampleNumbers)}, or {nameof(Sample)} into a Span<float>.");

    /// <summary>Reads a generator's file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Where and how it runs; the processor, one thread for each physical core, by default. Where many threads draw at once, <c>Threads = 1</c> draws
    /// more in all.</param>
    /// <exception cref="Graph.ModelFileException">The file is missing, no ONNX model, or no generator.</exception>
    /// <exception cref="Graph.UnsupportedOpException">It has operators that ONNX Runtime does not know.</exception>
    /// <exception cref="RuntimeUnavailableException">ONNX Runtime's native library or the device is missing.</exception>
    public static OneStepGenerator Load(string path, DeviceOptions? options = null) => new(GraphSession.Load(path, options));

    /// <summary>The same from a file's bytes, for instance an embedded resource.</summary>
    /// <inheritdoc cref="Load(string, DeviceOptions?)"/>
    /// <param name="file">The file's bytes.</param>
    /// <param name="options">Where and how it runs.</param>
    public static OneStepGenerator Load(byte[] file, DeviceOptions? options = null) => new(GraphSession.Create(file, options, "the generator"));

    /// <inheritdoc/>
    public void Dispose() => _pool.Dispose();

    private static int Product(int[] dims) => dims.Aggregate(1, static (n, d) => checked(n * d));
}
