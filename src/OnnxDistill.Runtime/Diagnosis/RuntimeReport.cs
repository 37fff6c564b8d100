namespace OnnxDistill.Runtime.Diagnosis;

/// <summary>Something that is not as it should be, and what to do about it.</summary>
/// <param name="Found">What is wrong.</param>
/// <param name="Cure">What to try.</param>
public sealed record RuntimeProblem(string Found, string Cure);

/// <summary>What <see cref="RuntimeDoctor"/> found on this machine.</summary>
public sealed record RuntimeReport
{
    /// <summary>Version of this library.</summary>
    public required string OnnxDistill { get; init; }

    /// <summary>Version of the native ONNX Runtime, or null when it cannot be loaded.</summary>
    public required string? OnnxRuntime { get; init; }

    /// <summary>Path of the native ONNX Runtime, or null when it cannot be loaded.</summary>
    public required string? NativeLibrary { get; init; }

    /// <summary>Execution providers of that build.</summary>
    public required IReadOnlyList<string> Providers { get; init; }

    /// <summary>Which ONNX Runtime the built-in table of CUDA kernels is of.</summary>
    public required string CudaKernelTable { get; init; }

    /// <summary>Version of .NET.</summary>
    public required string DotNet { get; init; }

    /// <summary>Operating system and architecture.</summary>
    public required string OperatingSystem { get; init; }

    /// <summary>Logical processors that this process may use.</summary>
    public required int Processors { get; init; }

    /// <summary>Bits of the widest vectors that .NET uses here.</summary>
    public required int VectorBits { get; init; }

    /// <summary>Bytes of memory that this process may use (the container's limit where there is one).</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Most resident bytes so far.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>What became of ONNX Runtime's telemetry.</summary>
    public required TelemetryState Telemetry { get; init; }

    /// <summary>What is wrong; empty on a sound machine.</summary>
    public required IReadOnlyList<RuntimeProblem> Problems { get; init; }
}
