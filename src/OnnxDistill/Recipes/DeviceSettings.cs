using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Recipes;

/// <summary>What the products of networks run in while they are trained.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Precision>))]
public enum Precision
{
    /// <summary>float32.</summary>
    [JsonStringEnumMemberName("fp32")]
    Float32,
    /// <summary>float16 with a scaled loss. Made for tensor cores; on the CPU its rounding is imitated, which is slower than float32 and good for checking.</summary>
    [JsonStringEnumMemberName("fp16")]
    Float16,
    /// <summary>bfloat16: refused, because the kernels that it takes do not exist at opset 18.</summary>
    [JsonStringEnumMemberName("bf16")]
    BFloat16,
}

/// <summary>Settings of ONNX Runtime's CUDA provider.</summary>
public sealed record CudaOptions
{
    /// <summary>Allow TensorFloat-32 in float32 products, which keeps 10 bits of mantissa.</summary>
    public bool Tf32 { get; init; }

    /// <summary>How cuDNN chooses an algorithm for a convolution: exhaustive is fastest in the long run and may differ in the last bits from run to run.</summary>
    public ConvolutionSearch ConvolutionSearch { get; init; } = ConvolutionSearch.Heuristic;

    /// <summary>Record each step as a CUDA graph at its first runs and replay it: less work for the host where kernels are short. Needs a kernel on the
    /// device for every node, which a dry run tells.</summary>
    public bool Graph { get; init; }

    /// <summary>Most bytes of device memory that each session takes; 0 for no limit.</summary>
    [Range(0, long.MaxValue)]
    public long MemoryLimit { get; init; }
}

/// <summary>The scale of losses under fp16: so large that gradients do not vanish in float16, so small that they do not overflow.</summary>
public sealed record LossScaleOptions
{
    /// <summary>The scale that a run starts with; a power of two keeps every bit.</summary>
    [Range(1, 1e30)]
    public double Initial { get; init; } = 65536;

    /// <summary>Finite steps in a row after which the scale is doubled.</summary>
    [Range(1, 1_000_000_000)]
    public int GrowthSteps { get; init; } = 2000;
}
