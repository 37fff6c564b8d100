using System.Text.Json.Nodes;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Teachers;

namespace OnnxDistill.Bench;

/// <summary>A DDPM++ of 1,260,547 weights at 32x32, random weights: all convolutions of 3x3, as CIFAR-10's teachers are.</summary>
internal sealed class SongUNet32 : ISubject
{
    private static readonly SongUNetOptions Options = new() { Channels = 32, Multipliers = [1, 2, 2], Blocks = 1, AttentionResolutions = [16] };

    public string Name => "song-unet";

    public string Description => "Colour images at 32x32, DDPM++ of width 32-64-64 (one block a level, attention at 16x16; 1,260,547 weights), random";

    public string? Missing => null;

    public string[] Prepare(string folder)
    {
        var teacher = SongUNet.Build(Options, new TeacherCard(), 3, 32, 32);
        foreach (var parameter in teacher.AtAnyBatch().Parameters)
            parameter.Constant = Drawn(parameter);
        var file = Path.Combine(folder, "song-unet.onnx");
        OnnxWriter.Write(teacher.Model, file);
        return [$"teacher={file}"];
    }

    public LoadedRecipe Recipe(IEnumerable<string> settings) => RecipeLoader.Resolve(new JsonObject
    {
        ["method"] = "sid",
        ["training"] = new JsonObject { ["batch"] = 32 },
    }, Checkout.Root(), "song-unet", settings);

    public TorchDenoiser Torch(TorchParameters parameters, Setup setup) =>
        new(new TorchSongUNet(parameters, Options), parameters, sigma => TorchCoefficients.Edm(sigma, setup.Task.SigmaData));

    // A fresh network ends its branches in weights near 0, so nearly no gradient would reach the rest, and its biases are 0: here every number counts, as in
    // a trained one. Normal numbers of the variance 1 / fan-in; biases and scales move by a tenth.
    private static TensorData Drawn(Value parameter)
    {
        var data = new float[parameter.Shape.ElementCount];
        new NoiseStream(1, StreamId.Named(parameter.Name)).FillNormal(data, 0);
        var start = parameter.Constant!.As<float>(); // a parameter is an initializer
        var fanIn = data.Length / parameter.Shape[0].Size;
        for (var i = 0; i < data.Length; i++)
            data[i] = parameter.Shape.Rank == 1 ? start[i] + (0.1f * data[i]) : (float)(data[i] / Math.Sqrt(fanIn));
        return TensorData.Of(data, parameter.Shape.Sizes());
    }
}
