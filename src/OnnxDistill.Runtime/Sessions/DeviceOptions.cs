using System.Text.Json.Serialization;

namespace OnnxDistill.Runtime.Sessions;

/// <summary>How much ONNX Runtime rewrites a graph before it runs it.</summary>
public enum GraphOptimization
{
    /// <summary>Nothing: the graph runs as it is written.</summary>
    None,
    /// <summary>Constants are folded, dead and double nodes removed; standard operators only.</summary>
    Basic,
    /// <summary>Basic, and fusions into ONNX Runtime's own operators.</summary>
    Extended,
    /// <summary>Extended, and changes of memory layout: fastest.</summary>
    All,
}

/// <summary>What the threads of a session do while they wait for work.</summary>
/// <remarks>Measured with three sessions run in turn on two cores (ONNX Runtime 1.31.1, two forward passes of a small transformer): on a quiet
/// machine Never 42 ms, DuringRun 39, Always 83; with another process busy 51 to 60, 78 to 103 and 141 to 155.</remarks>
public enum ThreadSpinning
{
    /// <summary>Sleep: at most a little slower, and neither sessions of one process nor other processes are starved.</summary>
    Never,
    /// <summary>Spin during a run and sleep after it: a little quicker when no other process wants the cores.</summary>
    DuringRun,
    /// <summary>Spin for a while after a run too (ONNX Runtime's own default): only good when one session has the machine to itself.</summary>
    Always,
}

/// <summary>How cuDNN chooses an algorithm for a convolution.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ConvolutionSearch>))]
public enum ConvolutionSearch
{
    /// <summary>By rules; the same choice every time.</summary>
    [JsonStringEnumMemberName("heuristic")]
    Heuristic,
    /// <summary>By timing all of them at each new shape: fastest later, may differ from run to run in the last bits.</summary>
    [JsonStringEnumMemberName("exhaustive")]
    Exhaustive,
    /// <summary>cuDNN's first choice.</summary>
    [JsonStringEnumMemberName("default")]
    Default,
}

/// <summary>Where and how graphs run.</summary>
public sealed record DeviceOptions
{
    /// <summary><c>cpu</c>, <c>cuda</c> or <c>cuda:1</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Threads inside an operator; 0 takes one for each physical core.</summary>
    public int Threads { get; init; }

    /// <summary>What waiting threads do.</summary>
    public ThreadSpinning Spinning { get; init; } = ThreadSpinning.Never;

    /// <summary>Whether ONNX Runtime keeps memory between runs instead of returning it; while a <see cref="SharedArena"/> is open, sessions on the CPU take it
    /// from there.</summary>
    public bool MemoryArena { get; init; } = true;

    /// <summary>Whether ONNX Runtime plans all memory of a run in one block when shapes are known.</summary>
    public bool MemoryPattern { get; init; } = true;

    /// <summary>Whether nodes run in the order in which the graph lists them, as far as the fusions of <see cref="Optimization"/> leave them. Creating the
    /// session takes twice as long. By default ONNX Runtime walks back from the outputs.</summary>
    public bool KeepOrder { get; init; }

    /// <summary>Whether nodes that compute the same are left alone; by default ONNX Runtime merges them.</summary>
    public bool KeepDuplicates { get; init; }

    /// <summary>Whether Dropout nodes outside training mode stay, although they do nothing; by default ONNX Runtime takes them out.</summary>
    public bool KeepDropout { get; init; }

    /// <summary>How much the graph is rewritten.</summary>
    public GraphOptimization Optimization { get; init; } = GraphOptimization.All;

    /// <summary>Prefix of ONNX Runtime's profile file (JSON for a trace viewer), or null for none.</summary>
    public string? ProfilePrefix { get; init; }

    /// <summary>Where ONNX Runtime writes the graph as it rewrote it, or null for nowhere.</summary>
    public string? OptimizedModelPath { get; init; }

    /// <summary>CUDA: allow TensorFloat-32 in matrix products, which keeps 10 bits of mantissa.</summary>
    public bool Tf32 { get; init; }

    /// <summary>CUDA: how convolutions choose their algorithm.</summary>
    public ConvolutionSearch ConvolutionSearch { get; init; } = ConvolutionSearch.Heuristic;

    /// <summary>CUDA: most bytes of device memory that each session takes; 0 for no limit.</summary>
    public long DeviceMemoryLimit { get; init; }

    /// <summary>CUDA: record each binding's run as a CUDA graph and replay it. Wants every bound buffer in <see cref="Buffers.DeviceMemory"/>, shapes that
    /// stay, and a CUDA kernel for every node. A binding has a graph of its own, so vectors that alternate between two bindings have two.</summary>
    public bool CudaGraph { get; init; }
}
