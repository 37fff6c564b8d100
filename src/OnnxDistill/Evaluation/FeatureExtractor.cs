using OnnxDistill.Data;
using OnnxDistill.Data.Images;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Metrics;
using OnnxDistill.Runtime;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Sampling;
using OnnxDistill.Teachers;

namespace OnnxDistill.Evaluation;

/// <summary>Features of images by any ONNX network: its first output, or a tensor inside it. Owns its session.</summary>
public sealed class FeatureExtractor : IDisposable
{
    /// <summary>Key of the metadata under which an extractor's file may state its short name.</summary>
    public const string NameKey = TeacherCard.Prefix + "feature_name";

    // Pixels of a batch: 64 MB, whatever the size of an image.
    private const int BatchNumbers = 1 << 24;

    private readonly string _key;
    private readonly string _path;
    private readonly string _tensor;
    private readonly FeatureInput _input;
    private readonly DeviceOptions? _device;
    private readonly Shape _shape;
    private GraphSession _session;
    private bool _hasFixedBatch;

    /// <summary>Loads the network; a batch fixed to a number in the file is opened up where its graph allows.</summary>
    /// <param name="path">The network's file.</param>
    /// <param name="tensor">The tensor; empty for the first output.</param>
    /// <param name="input">How images are brought to what it takes.</param>
    /// <param name="device">Where it runs; null for the processor.</param>
    /// <param name="key">The option that named it, for messages.</param>
    /// <exception cref="RecipeException">There is no tensor of that name, or the network takes something other than images.</exception>
    public FeatureExtractor(string path, string tensor, FeatureInput input, DeviceOptions? device = null, string key = "features")
    {
        (_path, _input, _device, _key) = (path, input, device, $"evaluation.{key}");
        var model = OnnxReader.Read(path);
        var sample = model.Graph.Inputs[0];
        if (sample.Type != ElementType.Float32 || sample.Shape.Rank != 4)
        {
            throw new RecipeException($"{_key}: '{path}' takes '{sample.Name}' {sample.Type}{sample.Shape}, expected images, Float32[N, channels, height, width]. "
                + "Put a Cast or Transpose in front when it is exported.");
        }
        _shape = sample.Shape;
        if (_shape[1] is { IsKnown: true, Size: not 3 } && Math.Max(input.Mean.Length, input.Deviation.Length) > 1)
            throw new RecipeException($"{_key}: '{path}' takes {_shape[1]} channels, found {input.Mean.Length} means and {input.Deviation.Length} deviations.");
        _tensor = tensor.Length > 0 ? tensor : model.Graph.Outputs[0].Name;
        Name = MetricName.ShortName(model.Metadata.GetValueOrDefault(NameKey) ?? Path.GetFileNameWithoutExtension(path));
        sample.KnownShape = _shape.With(0, Dim.Named("N"));
        _session = Load(model);
    }

    /// <summary>Short name for metrics: what the file's metadata say under <see cref="NameKey"/>, otherwise the file's own.</summary>
    public string Name { get; }

    /// <summary>The features of samples in [-1, 1], one row a sample.</summary>
    /// <param name="samples">Images, of which <see cref="FeatureInput.Crop"/> pixels are cut from each side.</param>
    /// <param name="batch">Images at once; 0 for as many as fit into 64 MB.</param>
    /// <param name="ranks">Processes that share the work and all get all features; null for this one alone.</param>
    /// <exception cref="RecipeException">The images do not have the size that the network takes.</exception>
    public SampleSet Features(SampleSet samples, int batch = 0, IRankGroup? ranks = null)
    {
        ArgumentNullException.ThrowIfNull(samples);
        return Features(samples.Count, samples.Dims.ToArray(), (i, pixels) => samples[i].CopyTo(pixels), _input.Crop, batch, ranks);
    }

    /// <summary>The features of a data set or of some of it, read as they are needed.</summary>
    /// <param name="images">The images; they are cropped as samples are unless they have the network's size already.</param>
    /// <param name="chosen">Indices of the images; null for all.</param>
    /// <param name="ranks">Processes that share the work and all get all features; null for this one alone.</param>
    /// <exception cref="RecipeException">The images do not have the size that the network takes.</exception>
    public SampleSet Features(IImageSource images, IReadOnlyList<int>? chosen = null, IRankGroup? ranks = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        var dims = images.Dims.ToArray();
        var crop = Fits(1, dims[1]) && Fits(2, dims[2]) && _shape[2].IsKnown ? 0 : _input.Crop;
        return Features(chosen?.Count ?? images.Count, dims, (i, pixels) => images.Read(chosen?[i] ?? i, pixels), crop, 0, ranks);
    }

    private SampleSet Features(int count, int[] dims, Action<int, Span<float>> read, int crop, int batch, IRankGroup? ranks)
    {
        var (channels, height, width) = dims.Length == 3 ? (dims[0], dims[1], dims[2]) : throw Mismatch(dims, crop);
        var (h, w) = (height - (2 * crop), width - (2 * crop));
        // A network of colours sees a grey image as three equal planes, as is usual for digits in Inception's features.
        var planes = channels == 1 && !Fits(0, 1) ? 3 : channels;
        if (h < 1 || w < 1 || !Fits(0, planes) || !Fits(1, h) || !Fits(2, w))
            throw Mismatch(dims, crop);
        batch = batch > 0 ? batch : Math.Clamp(BatchNumbers / (planes * h * w), 1, 500);
        var features = SharedBatches.Run(ranks, count, batch, (first, now) =>
        {
            var (pixels, image) = (new float[now * planes * h * w], new float[channels * height * width]);
            var at = 0;
            for (var i = first; i < first + now; i++)
            {
                read(i, image);
                for (var plane = 0; plane < planes; plane++)
                {
                    var (mean, deviation) = (Of(_input.Mean, plane), Of(_input.Deviation, plane));
                    for (var y = crop; y < height - crop; y++)
                        foreach (var pixel in image.AsSpan((((plane % channels * height) + y) * width) + crop, w))
                            pixels[at++] = (float)((((pixel + 1) / 2) - mean) / deviation);
                }
            }
            return Run(pixels, now, [planes, h, w]);
        });
        return new SampleSet([features.Length / count], features);
    }

    private static double Of(double[] numbers, int channel) => numbers[numbers.Length == 1 ? 0 : channel];

    private GraphSession Load(OnnxModel model)
    {
        var graph = model.Graph;
        if (graph.Outputs.All(o => o.Name != _tensor))
        {
            var value = graph.Nodes.SelectMany(n => n.Outputs).FirstOrDefault(v => v?.Name == _tensor) ?? throw new RecipeException(
                $"{_key}: '{_path}' has no tensor '{_tensor}'. Look for a name with 'onnxdistill inspect'.");
            value.Type = ElementType.Float32;
            graph.Outputs.Add(value);
        }
        foreach (var output in graph.Outputs)
            output.KnownShape = null;
        return GraphSession.Create(model, _device, $"the feature extractor '{_path}'");
    }

    private float[] Run(float[] pixels, int count, int[] dims)
    {
        if (!_hasFixedBatch)
        {
            if (TryRun(pixels, count, dims) is { } features)
                return features;
            // The file's batch is also written into its graph, in a Reshape for instance.
            (_hasFixedBatch, var opened) = (true, _session);
            _session = Load(OnnxReader.Read(_path));
            opened.Dispose();
        }
        var (batch, size) = ((int)_shape[0].Size, pixels.Length / count);
        var rows = new List<float[]>();
        for (var first = 0; first < count; first += batch)
        {
            var part = new float[batch * size];
            var now = Math.Min(batch, count - first);
            pixels.AsSpan(first * size, now * size).CopyTo(part);
            var features = TryRun(part, batch, dims)!;
            rows.Add(features[..(features.Length / batch * now)]);
        }
        return [.. rows.SelectMany(static r => r)];
    }

    // Null where a batch of this size does not go through and that of the file may.
    private float[]? TryRun(float[] pixels, int count, int[] dims)
    {
        var mayFail = !_hasFixedBatch && _shape[0] is { IsKnown: true } known && known.Size != count;
        try
        {
            var feeds = new Dictionary<string, TensorData> { [_session.Inputs[0].Name] = TensorData.Of(pixels, [count, .. dims]) };
            var found = _session.Run(feeds, [_tensor])[_tensor];
            return found.Dims is [var rows, ..] && rows == count ? found.ToFloat32().As<float>().ToArray() : mayFail ? null : throw new RecipeException(
                $"{_key}: '{_path}' gives '{_tensor}' {found.Shape} for {count} images, expected a row an image. Name another tensor, or export it with a dynamic batch.");
        }
        catch (GraphRunException) when (mayFail)
        {
            return null;
        }
    }

    // Axis 0 is that of the channels. What the file leaves open takes anything.
    private bool Fits(int axis, int size) => _shape[axis + 1] is not { IsKnown: true } known || known.Size == size;

    private RecipeException Mismatch(int[] dims, int crop) => new(
        $"{_key}: '{_path}' takes images [{string.Join(", ", _shape.Skip(1))}], found [{string.Join(", ", dims)}]{(crop > 0 ? $" less {crop} pixels on each side" : "")}. "
        + "Cut a border off with --feature-crop (evaluation.featureInput.crop), resize the data set with data.size, or put a Resize into the extractor's graph.");

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}
