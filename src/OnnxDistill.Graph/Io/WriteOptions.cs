namespace OnnxDistill.Graph.Io;

/// <summary>What a written model file holds besides the graph.</summary>
public sealed record WriteOptions
{
    /// <summary>Whether types and shapes of the values between the nodes are written (<c>value_info</c>), where known. Viewers show them;
    /// ONNX Runtime does not need them.</summary>
    public bool ValueInfo { get; init; }
}

/// <summary>Keeps large initializers in a file of their own beside the model.</summary>
public sealed record ExternalDataOptions
{
    /// <summary>Name of that file, without a folder; the model's file name with <c>.data</c> added when left out.</summary>
    public string? FileName { get; init; }

    /// <summary>Smaller initializers, in bytes, stay in the model file.</summary>
    public long MinimumBytes { get; init; } = 1024;
}
