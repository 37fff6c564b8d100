using System.Security.Cryptography;
using OnnxDistill.Data;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Cli;

/// <summary>A folder with the smallest things that every verb can work on: an exact teacher of two modes, recipes of twenty steps.</summary>
internal sealed class TinyFiles : IDisposable
{
    private const string Settings = """
          "network": { "kind": "mlp", "hidden": [8, 8] },
          "training": { "batch": 32, "images": 640, "logImages": 160, "threads": 1, "optimizer": { "learningRate": 1e-3 }, },
        """;

    private readonly TestFiles _files = new();

    public TinyFiles()
    {
        var mixture = new GaussianMixture([0.5, 0.5], [[-1.0, 0], [1, 0]], [0.1, 0.1]);
        OnnxWriter.Write(MixtureTeacher.Build(mixture, "two modes").Model, _files["teacher.onnx"]);
        GaussianMixtureCsv.Write(_files["mixture.csv"], mixture);
        // With a comment and commas at the end, as people write them.
        _files.Write("tiny.json", $$"""
            // the smallest job
            { "method": "diff-instruct", "teacher": "teacher.onnx",
            {{Settings}}
              "evaluation": { "samples": 100, "mixture": "mixture.csv", "pictureSamples": 50 }, }
            """);
        _files.Write("fit.json", $$"""
            { "method": "denoising-score-matching", "data": { "mixture": "mixture.csv" },
            {{Settings}}
            }
            """);
    }

    public string Folder => _files.Folder;

    public string this[string name] => _files[name];

    public string Write(string name, string text) => _files.Write(name, text);

    public string Write(string name, byte[] bytes) => _files.Write(name, bytes);

    public string Write(string name, OnnxModel model, ExternalDataOptions? external = null)
    {
        OnnxWriter.Write(model, _files[name], external);
        return _files[name];
    }

    /// <summary>A finished run of tiny.json.</summary>
    public string Distilled(string name = "run")
    {
        CommandLine.Run("distill", this["tiny.json"], "-o", this[name]).Expect(0);
        return this[name];
    }

    /// <summary>A generator of tiny.json.</summary>
    public string Generator()
    {
        CommandLine.Run("export", Distilled(), "-o", this["generator.onnx"]).Expect(0);
        return this["generator.onnx"];
    }

    /// <summary>A raw flow network of points: the exact velocity of standard normal data, so that it denoises.</summary>
    public static OnnxModel Flow(ElementType type = ElementType.Float32)
    {
        // x_t = (1 - t) y + t n with y, n ~ N(0, 1): E[n - y | x_t] = x_t (2t - 1) / ((1 - t)² + t²).
        var b = new GraphBuilder("flow");
        var x = b.Input("zt", type, new Shape([Dim.Named("N"), 2]));
        var t = b.Input("t", type, new Shape([Dim.Named("N")]));
        var time = b.Unsqueeze(t, 1);
        var slope = b.Div(b.Sub(b.Mul(time, 2), b.Scalar(1, type)), b.Add(b.Square(b.Sub(b.Scalar(1, type), time)), b.Square(time)));
        b.Output("v", b.Mul(x, slope));
        return new OnnxModel(b.Graph);
    }

    /// <summary>A network of the right form that predicts nothing sensible.</summary>
    public static OnnxModel Nonsense()
    {
        var b = new GraphBuilder("nonsense");
        var x = b.Input("x", ElementType.Float32, new Shape([Dim.Named("N"), 2]));
        var t = b.Input("t", ElementType.Float32, new Shape([Dim.Named("N")]));
        b.Output("v", b.Sub(b.Mul(x, -2), b.Unsqueeze(t, 1)));
        return new OnnxModel(b.Graph);
    }

    /// <summary>A feature extractor of images of two pixels: the pixels, and inside it half of them.</summary>
    public static OnnxModel Pixels()
    {
        var b = new GraphBuilder("pixels");
        var half = b.Mul(b.Input("image", ElementType.Float32, new Shape([Dim.Named("N"), 1, 1, 2])), 0.5);
        half.Name = "half";
        b.Output("pixels", b.Mul(half, 2));
        return new OnnxModel(b.Graph);
    }

    /// <summary>y = x w with weights of that many columns, for files with external data.</summary>
    public static OnnxModel Linear(int columns)
    {
        var b = new GraphBuilder("linear");
        var x = b.Input("x", ElementType.Float32, new Shape([Dim.Named("N"), 4]));
        var w = b.Initializer("w", TensorData.Of(Enumerable.Range(0, 4 * columns).Select(i => (float)i).ToArray(), 4, columns));
        b.Output("y", b.MatMul(x, w));
        return new OnnxModel(b.Graph);
    }

    /// <summary>Every file and folder with a digest of its content: two equal listings mean that nothing was written.</summary>
    public string Listing() => string.Join('\n', Directory.EnumerateFileSystemEntries(Folder, "*", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).Select(p => $"{p} {(Directory.Exists(p) ? "" : Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(p))))}"));

    public void Dispose() => _files.Dispose();
}
