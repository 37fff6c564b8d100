namespace OnnxDistill.Graph.Model;

/// <summary>The node of the graph model that lets a value through and its gradient not. It exists in memory only: the
/// file writer erases it.</summary>
internal static class StopGradientMarker
{
    /// <summary>Its operator.</summary>
    public const string OpType = "StopGradient";

    /// <summary>Its operator domain, which no file names.</summary>
    public const string Domain = "onnxdistill";

    /// <summary>Whether the node is the marker.</summary>
    public static bool Is(Node node) => node is { OpType: OpType, Domain: Domain };
}
