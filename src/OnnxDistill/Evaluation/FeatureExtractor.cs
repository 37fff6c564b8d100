using OnnxDistill.Data;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Sampling;

namespace OnnxDistill.Evaluation;

/// <summary>How images are brought to what a feature extractor was trained on.</summary>
public sealed record FeatureInput
{
    /// <summary>Pixels cut from each side.</summary>
    [System.ComponentModel.DataAnnotations.Range(0, 4096)]
    public int Crop { get; init; }

    /// <summary>Subtracted from pixels in [0, 1].</summary>
    public double Mean { get; init; }

    /// <summary>Pixels are divided by it after that.</summary>
    [System.ComponentModel.DataAnnotations.Range(1e-9, 1e9)]
    public double Deviation { get; init; } = 1;
}

/// <summary>Features of images by any ONNX network: its first output, or a tensor inside it. Owns its session.</summary>
public sealed class FeatureExtractor : IDisposable
{
    private readonly GraphSession _session;
    private readonly string _tensor;
    private readonly FeatureInput _input;

    /// <summary>Loads the network; a batch fixed to a number in the file is opened up.</summary>
    /// <exception cref="RecipeException">There is no tensor of that name.</exception>
    public FeatureExtractor(string path, string tensor, FeatureInput input, DeviceOptions? device = null)
    {
        var model = OnnxReader.Read(path);
        var graph = model.Graph;
        var sample = graph.Inputs[0];
        sample.KnownShape = sample.Shape.With(0, Dim.Named("N"));
        if (tensor.Length > 0 && graph.Outputs.All(o => o.Name != tensor))
        {
            var value = graph.Nodes.SelectMany(n => n.Outputs).FirstOrDefault(v => v?.Name == tensor) ?? throw new RecipeException(
                $"evaluation.featureTensor: '{path}' has no tensor '{tensor}'. Look for a name with 'onnxdistill inspect'.");
            value.Type = ElementType.Float32;
            graph.Outputs.Add(value);
        }
        foreach (var output in graph.Outputs)
            output.KnownShape = null;
        (_tensor, _input) = (tensor.Length > 0 ? tensor : graph.Outputs[0].Name, input);
        _session = GraphSession.Create(model, device, $"the feature extractor '{path}'");
    }

    /// <summary>The features of images in [-1, 1], one row an image.</summary>
    /// <param name="images">The images.</param>
    /// <param name="batch">Images at once.</param>
    /// <param name="ranks">Processes that share the work and all get all features; null for this one alone.</param>
    public SampleSet Features(SampleSet images, int batch = 500, IRankGroup? ranks = null)
    {
        var (channels, height, width) = (images.Dims[0], images.Dims[1], images.Dims[2]);
        var crop = _input.Crop;
        var (h, w) = (height - (2 * crop), width - (2 * crop));
        var features = SharedBatches.Run(ranks, images.Count, batch, (first, now) =>
        {
            var pixels = new float[now * channels * h * w];
            var at = 0;
            for (var i = first; i < first + now; i++)
            {
                var image = images[i];
                for (var plane = 0; plane < channels; plane++)
                    for (var y = crop; y < height - crop; y++)
                        foreach (var pixel in image.Slice((((plane * height) + y) * width) + crop, w))
                            pixels[at++] = (float)((((pixel + 1) / 2) - _input.Mean) / _input.Deviation);
            }
            var feeds = new Dictionary<string, TensorData> { [_session.Inputs[0].Name] = TensorData.Of(pixels, now, channels, h, w) };
            return _session.Run(feeds, [_tensor])[_tensor].As<float>().ToArray();
        });
        return new SampleSet([features.Length / images.Count], features);
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}
