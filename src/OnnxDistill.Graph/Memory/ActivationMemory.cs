using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Memory;

/// <summary>How much memory the intermediate results of a graph take when ONNX Runtime runs it: an estimate from static shapes.</summary>
public static class ActivationMemory
{
    /// <summary>How far the results reach in an arena of one piece that gives the smallest gap that fits. Inputs, constants and outputs are not counted.</summary>
    /// <param name="graph">The graph; values of unknown shape count as nothing.</param>
    /// <param name="keepsOrder">Whether nodes run in the graph's order; by default ONNX Runtime walks back from the outputs.</param>
    /// <returns>Bytes.</returns>
    public static long Peak(OnnxGraph graph, bool keepsOrder = false)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var order = keepsOrder ? graph.Nodes : RuntimeOrder.Of(graph);
        return MemoryWalk.Peak(graph, order.ConvertAll(static n => new WalkStep(n)), static (_, v) => (v, false)).Reach;
    }
}
