using System.Text.Json.Serialization;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Graph.Passes.Compression;
using OnnxDistill.Graph.Passes.MixedPrecision;
using OnnxDistill.Runtime.Normalization;
using OnnxDistill.Students;

namespace OnnxDistill.Export;

/// <summary>What an exported generator's weights are in.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ExportPrecision>))]
public enum ExportPrecision
{
    /// <summary>float32, as they were trained.</summary>
    [JsonStringEnumMemberName("fp32")]
    Float32,
    /// <summary>Products and their weights in float16, what needs range or sums of many terms in float32 (<see cref="HalfPrecision"/>): half the file. Where a device
    /// has no kernels for float16, as ONNX Runtime's on x64, it computes in float32.</summary>
    [JsonStringEnumMemberName("fp16")]
    Float16,
    /// <summary>Weights of products in int8 with a scale for each output channel (<see cref="Int8Weights"/>), computed in float32: about a quarter of the file.</summary>
    [JsonStringEnumMemberName("int8")]
    Int8,
}

/// <summary>Names of precisions, and how a generator is brought to one.</summary>
public static class ExportPrecisions
{
    private static readonly string[] Known = ["fp32", "fp16", "int8"];

    /// <summary>The names, in the order of <see cref="ExportPrecision"/>.</summary>
    public static IReadOnlyList<string> Names => Known;

    /// <summary>The name of a precision.</summary>
    public static string Name(this ExportPrecision precision) => Known[(int)precision];

    /// <summary>The precision that a generator's metadata name; fp32 where they name none.</summary>
    public static ExportPrecision Of(OnnxModel generator)
    {
        ArgumentNullException.ThrowIfNull(generator);
        return (ExportPrecision)Math.Max(0, Array.IndexOf(Known, generator.Metadata.GetValueOrDefault(GeneratorMetadata.Precision, Known[0])));
    }

    /// <summary>The generator in that precision; it may change the model that is given.</summary>
    /// <param name="model">A generator in fp32.</param>
    /// <param name="precision">The precision.</param>
    /// <param name="rounded">For fp16, float32 nodes whose results are rounded to float16: what a device with kernels for float16 computes, anywhere.</param>
    /// <exception cref="TeacherMismatchException">It has nothing that could be in that precision.</exception>
    internal static OnnxModel Apply(OnnxModel model, ExportPrecision precision, bool rounded = false)
    {
        // The pass has to know every value's type.
        if (precision == ExportPrecision.Float16)
            model = ModelNormalizer.Normalize(model);
        IGraphPass? pass = precision switch
        {
            ExportPrecision.Float16 => new HalfPrecision(static _ => true, rounded ? HalfForm.Rounded : HalfForm.Float16),
            ExportPrecision.Int8 => new Int8Weights(),
            _ => null,
        };
        if (pass?.Run(model.Graph) == 0)
            throw new TeacherMismatchException($"The generator has no products whose weights could be in {precision.Name()}. Export it in fp32.");
        model.Metadata[GeneratorMetadata.Precision] = precision.Name();
        return model;
    }
}
