using System.Globalization;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;

namespace OnnxDistill.Runtime.Placement;

/// <summary>A node that the CUDA provider has no kernel for.</summary>
/// <param name="Node">The node.</param>
/// <param name="Reason">Why: no kernel at all, none of this version, none for these types.</param>
public sealed record MissingKernel(Node Node, string Reason);

/// <summary>
/// Which nodes of a model a CUDA device would not run, told from ONNX Runtime's own table of kernels; no GPU is needed. ONNX Runtime runs such
/// nodes on the processor, with copies there and back (or expands those that ONNX defines as functions of others).
/// </summary>
public sealed class PlacementReport
{
    private const string OurMarkers = "onnxdistill"; // in memory only: the writer erases them

    private PlacementReport(IReadOnlyList<MissingKernel> missing, int nodes) => (Missing, Nodes) = (missing, nodes);

    /// <summary>Which ONNX Runtime the table is of.</summary>
    public static string Source => CudaKernels.Source;

    /// <summary>The nodes without a kernel, in the model's order.</summary>
    public IReadOnlyList<MissingKernel> Missing { get; }

    /// <summary>Number of nodes looked at, those of subgraphs included.</summary>
    public int Nodes { get; }

    /// <summary>Whether every node has a kernel.</summary>
    public bool IsComplete => Missing.Count == 0;

    /// <summary>Looks at every node of a model, at the model's opset. Types that are not known are taken to fit.</summary>
    public static PlacementReport OfCuda(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var nodes = AllNodes(model.Graph).Where(n => n.Domain != OurMarkers).ToList();
        return new PlacementReport([.. nodes.Select(n => (n, Reason(n, model.Opset))).Where(p => p.Item2 is not null)
            .Select(p => new MissingKernel(p.n, p.Item2!))], nodes.Count);
    }

    /// <summary>One line an operator: what is missing, how often, and the first few nodes.</summary>
    public string Describe()
    {
        const int shown = 3;
        return string.Join('\n', Missing.GroupBy(m => (m.Node.QualifiedOp, m.Reason)).OrderBy(g => g.Key.QualifiedOp, StringComparer.Ordinal).Select(g =>
            string.Create(CultureInfo.InvariantCulture, $"{g.Key.QualifiedOp}: {g.Key.Reason}; {g.Count()} node(s): ")
            + string.Join(", ", g.Take(shown).Select(m => $"'{(m.Node.Name.Length > 0 ? m.Node.Name : m.Node.Outputs.OfType<Value>().First().Name)}'"))
            + (g.Count() > shown ? ", ..." : "")));
    }

    private static IEnumerable<Node> AllNodes(OnnxGraph graph) =>
        graph.Nodes.SelectMany(n => n.Attributes.Select(a => a.Value).OfType<OnnxGraph>().SelectMany(AllNodes).Prepend(n));

    private static string? Reason(Node node, long opset)
    {
        if (node is { Domain: "", OpType: "Constant" })
            return null; // becomes an initializer before anything is placed
        var rows = CudaKernels.Rows[node.QualifiedOp].ToList();
        if (rows.Count == 0)
            return "no CUDA kernel";
        // ONNX Runtime's own operators have one version.
        var since = node.Domain.Length == 0 ? OperatorVersions.Of(node.OpType, opset) : 1;
        var serving = rows.Where(r => r.Serves(since)).ToList();
        if (serving.Count == 0)
            return string.Create(CultureInfo.InvariantCulture, $"no CUDA kernel of version {since} (there are {string.Join(", ", rows)})");
        var types = Types(node).ToList();
        return serving.Exists(r => r.Types.Count == 0 || types.TrueForAll(r.Types.Contains)) ? null : $"no CUDA kernel for {string.Join(" and ", types)}";
    }

    // The table tells the types that vary; shapes and axes, which are always int64, are not in it. So: every floating type, and the first input's.
    private static IEnumerable<ElementType> Types(Node node) => node.Inputs.Concat(node.Outputs).OfType<Value>().Select(v => v.Type).Where(t => t.IsFloating())
        .Concat(node.Inputs is [{ Type: not (ElementType.Undefined or ElementType.Text) } first, ..] ? [first.Type] : []).Distinct();
}
