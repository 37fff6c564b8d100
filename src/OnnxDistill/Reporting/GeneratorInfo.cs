using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;
using OnnxDistill.Students;
using OnnxDistill.Teachers;

namespace OnnxDistill.Reporting;

/// <summary>What a page has to know of a generator before it runs it, and what it tells people about it. As JSON it is the form that demo.mjs reads.</summary>
internal sealed record GeneratorInfo
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>Name of the file in commands and links.</summary>
    public required string File { get; init; }
    /// <summary>Its size in bytes.</summary>
    public required long Bytes { get; init; }
    /// <summary>Numbers in its weights.</summary>
    public required long Parameters { get; init; }
    /// <summary><c>image</c> or <c>points</c>.</summary>
    public required string Data { get; init; }
    /// <summary>Number of classes, 0 for none.</summary>
    public required int Labels { get; init; }
    /// <summary>The classes' names; null where the file has none.</summary>
    public string[]? ClassNames { get; init; }
    /// <summary>Name of the latent input.</summary>
    public required string Latent { get; init; }
    /// <summary>Name of the class input.</summary>
    public required string Label { get; init; }
    /// <summary>Name of the output.</summary>
    public required string Output { get; init; }
    /// <summary>Extents of one latent.</summary>
    public required long[] LatentShape { get; init; }
    /// <summary>Height and width of an image; null for points.</summary>
    public long[]? ImageExtents { get; init; }
    /// <summary>The output for people.</summary>
    public required string OutputText { get; init; }
    /// <summary>The method that it was made by, where known.</summary>
    public string Method { get; init; } = "";
    /// <summary>Digest of the teacher, where known.</summary>
    public string Teacher { get; init; } = "";
    /// <summary>The teacher's licence.</summary>
    public string Licence { get; init; } = "";
    /// <summary>Samples that its training saw, where known.</summary>
    public long ImagesSeen { get; init; }
    /// <summary>Version of the ONNX Runtime that runs it.</summary>
    public string Runtime { get; init; } = "";

    /// <summary>The description of a generator.</summary>
    /// <param name="model">The generator.</param>
    /// <param name="file">What its file is called.</param>
    /// <param name="bytes">The file's size.</param>
    /// <param name="runtime">Version of the ONNX Runtime that runs it.</param>
    /// <exception cref="TeacherMismatchException">It is no one-step generator whose samples a page can show.</exception>
    public static GeneratorInfo Of(OnnxModel model, string file, long bytes, string runtime)
    {
        var graph = model.Graph;
        var generator = new Generator(model, $"'{file}'");
        string Text(string key) => model.Metadata.GetValueOrDefault(key, "");
        var output = graph.Outputs[0];
        var isBytes = output.Type == ElementType.UInt8;
        var shape = generator.DataShape;
        var extents = generator.Data != "image" ? null : (isBytes, shape) switch
        {
            (false, [1 or 3, _, _]) => shape[1..],
            (true, [_, _, 1 or 3]) => shape[..2],
            _ => throw Refuse($"images [{string.Join(", ", shape)}] of {output.Type}"),
        };
        if (extents is null && (shape is not [1 or 2] || isBytes))
            throw Refuse($"points [{string.Join(", ", shape)}] of {output.Type}");
        if (output.Type is not (ElementType.Float32 or ElementType.UInt8) || graph.Input(Generator.Latent).Type != ElementType.Float32)
            throw Refuse($"latents of {graph.Input(Generator.Latent).Type} and samples of {output.Type}");
        return new GeneratorInfo
        {
            File = file,
            Bytes = bytes,
            Parameters = graph.Initializers.Sum(static i => i.Constant?.ElementCount ?? 0),
            Data = generator.Data == "image" ? "image" : "points",
            Labels = generator.Labels,
            ClassNames = GeneratorMetadata.Names(model),
            Latent = Generator.Latent,
            Label = Denoiser.Label,
            Output = output.Name,
            LatentShape = generator.LatentShape,
            ImageExtents = extents,
            OutputText = $"{string.Join(" × ", shape)}, {(isBytes ? "bytes" : extents is null ? "float32" : "-1..1")}",
            Method = Text(GeneratorMetadata.Method),
            Teacher = Text(GeneratorMetadata.TeacherHash),
            Licence = Text(GeneratorMetadata.Licence),
            ImagesSeen = long.TryParse(Text(GeneratorMetadata.ImagesSeen), CultureInfo.InvariantCulture, out var seen) ? seen : 0,
            Runtime = runtime,
        };
    }

    /// <summary>As JSON that may stand inside a page.</summary>
    public JsonNode ToJson() => JsonSerializer.SerializeToNode(this, Json)!; // a record is no null

    private static TeacherMismatchException Refuse(string found) =>
        new($"A page can show grey and colour images (float [C, H, W] or bytes [H, W, C]) and points of one or two coordinates, drawn from float latents; this generator has {found}.");
}
