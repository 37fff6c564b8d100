using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes;

/// <summary>Passes in order, repeated until none finds anything: what one removes often lays open what another can use.</summary>
/// <remarks>Inputs and outputs keep their names, types and shapes, and no output comes to end in a Reshape, Squeeze or Identity that did
/// not before (ONNX Runtime copies such outputs when they are bound).</remarks>
public sealed class PassPipeline(params IReadOnlyList<IGraphPass> passes)
{
    /// <summary>A bound on the rounds: each leaves a valid graph, and the third rarely finds anything.</summary>
    private const int MostRounds = 6;

    /// <summary>For graphs that may be differentiated again: StopGradient markers stay.</summary>
    public static PassPipeline Differentiable { get; } = new(new DeadNodes(), new NodeRewrites(NodeRewrites.All), new SharedConstants(),
        new CommonSubexpressions(), new DeadNodes());

    /// <summary>For graphs that only run from now on: markers have done their work and hide what could be shared.</summary>
    public static PassPipeline Final { get; } = new([new MarkerRemoval(), .. Differentiable.Passes]);

    /// <summary>The passes, in order.</summary>
    public IReadOnlyList<IGraphPass> Passes => passes;

    /// <summary>Runs the passes over the graph.</summary>
    /// <returns>In how many places each pass changed something, by its name; passes that found nothing are left out.</returns>
    public IReadOnlyDictionary<string, int> Run(OnnxGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var found = new SortedDictionary<string, int>(StringComparer.Ordinal);
        // A body of control flow sees the values around it by name, so nothing here can tell who uses what.
        if (graph.Nodes.Exists(static n => n.Attributes.Any(static a => a.Value is OnnxGraph)))
            return found;
        for (var round = 0; round < MostRounds; round++)
        {
            var changes = 0;
            foreach (var pass in passes)
            {
                var places = pass.Run(graph);
                changes += places;
                if (places > 0)
                    found[pass.Name] = found.GetValueOrDefault(pass.Name) + places;
            }
            if (changes == 0)
                break;
        }
        return found;
    }
}
