using OnnxDistill.Export;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Generation;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Runtime.Generation;

/// <summary>Generators for tests, as bytes of files.</summary>
internal static class GeneratorFiles
{
    /// <summary>The committed generator of digits.</summary>
    public static string Digits => RepositoryRoot.Of("models", "mnist", "generator.onnx");

    /// <summary>An MLP that draws points, with fresh weights.</summary>
    public static OnnxModel Points()
    {
        var denoiser = Mlp.Build(new MlpOptions { Hidden = [32, 32] }, MixtureTeacher.Card(OnnxDistill.Data.GaussianMixture.Ring(), "test"), 2);
        return GeneratorBuilder.Build(denoiser, denoiser.Model.Graph.Initializers.ToDictionary(i => i.Name, i => i.Constant!), 1, []);
    }

    /// <summary>Image = latent / 2 + class, 2 wide and 3 high; bytes are written by the graph itself, channels last.</summary>
    /// <param name="channels">Channels.</param>
    /// <param name="labels">Number of classes.</param>
    /// <param name="asBytes">Whether the output is UInt8 [N, height, width, channels].</param>
    public static OnnxModel Images(int channels, int labels, bool asBytes)
    {
        var b = new GraphBuilder("images");
        var z = b.Input("z", ElementType.Float32, Shape.Of(Dim.Named("N"), channels, 3, 2));
        var x = b.Mul(z, 0.5);
        if (labels > 0)
            x = b.Add(x, b.Unsqueeze(b.Cast(b.Input("label", ElementType.Int64, Shape.Of(Dim.Named("N"))), ElementType.Float32), 1, 2, 3));
        x = asBytes ? b.Cast(b.Transpose(b.Round(b.Clip(b.Add(b.Mul(x, 127.5), 127.5), 0, 255)), 0, 2, 3, 1), ElementType.UInt8) : x;
        b.Output("image", x);
        var model = new OnnxModel(b.Graph);
        model.Metadata["onnxdistill.kind"] = "generator";
        model.Metadata["onnxdistill.labels"] = $"{labels}";
        return model;
    }

    public static OneStepGenerator Load(OnnxModel model) => OneStepGenerator.Load(OnnxWriter.ToBytes(model));
}
