using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes;

/// <summary>What becomes of the StopGradient markers: the file writer erases them; tests may freeze them instead.</summary>
public static class StopGradients
{
    /// <summary>The markers, in graph order.</summary>
    public static IEnumerable<Node> Markers(OnnxGraph graph) => graph.Nodes.Where(StopGradientMarker.Is);

    /// <summary>
    /// The frozen build: each marked value becomes a graph input of the marker's name, so that a test can hold it fixed while it
    /// perturbs parameters; central differences of this graph are what the written gradient has to equal.
    /// </summary>
    /// <returns>The inputs' names with the values that they stand for.</returns>
    public static IReadOnlyList<(string Input, Value Marked)> Freeze(OnnxGraph graph)
    {
        var frozen = new List<(string, Value)>();
        foreach (var marker in Markers(graph).ToList())
        {
            var input = marker.Output;
            graph.Nodes.Remove(marker);
            input.Producer = null;
            graph.Inputs.Add(input);
            frozen.Add((input.Name, marker.Input(0)));
        }
        return frozen;
    }
}
