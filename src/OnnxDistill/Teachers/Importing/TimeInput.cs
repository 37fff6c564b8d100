using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Importing;

/// <summary>A network's time input of any type and rank, fed one time a sample.</summary>
internal static class TimeInput
{
    private static readonly string[] Scalarwise = ["Cast", "Mul", "Add", "Div", "Sub", "Log", "Exp", "Neg", "Sqrt", "Identity"];

    /// <summary>Whether the network can be told whole numbers only: by the type, or because the first thing that it does is to cast them.</summary>
    public static bool IsWhole(OnnxGraph graph, Value time)
    {
        if (InputRoles.IsInteger(time))
            return true;
        var users = graph.Nodes.Where(n => n.Inputs.Any(i => i?.Name == time.Name)).ToList();
        return users.Count > 0 && users.TrueForAll(static n => n.OpType == "Cast" && (ElementType)n.Attributes.Int("to", 0) is ElementType.Int64 or ElementType.Int32);
    }

    /// <summary>Times [N] as the input takes them.</summary>
    public static Value Encode(GraphBuilder b, Value times, Value input)
    {
        var shaped = input.Shape.Rank == 2 ? b.Unsqueeze(times, 1) : times;
        return b.Cast(shaped, input.Type);
    }

    /// <summary>Makes a graph whose time is one number for the whole batch (rank 0, or [1]) take one a sample, [N]. The exporter's own Unsqueeze, Reshape or
    /// Expand to the batch does nothing to a vector and goes.</summary>
    /// <exception cref="TeacherMismatchException">The number is used in a way that would mix samples up.</exception>
    public static void Widen(OnnxGraph graph, Value time, string file)
    {
        if (time.Shape.Rank == 1 && !time.Shape[0].IsKnown)
            return;
        if (time.Shape.Rank > 2 || (time.Type != ElementType.Float32 && !InputRoles.IsInteger(time)))
            throw new TeacherMismatchException($"'{file}' takes its time as {time}; expected one number a sample, [N] or [N, 1], of a float or integer type.");
        foreach (var value in graph.Nodes.SelectMany(static n => n.Outputs).OfType<Value>())
            value.KnownShape = null; // of the one time that the file was written for
        if (time.Shape.Rank == 0)
            Follow(graph, time, file);
        if (time.Shape.Rank < 2)
            time.KnownShape = Shape.Of(Dim.Named("N"));
    }

    private static void Follow(OnnxGraph graph, Value time, string file)
    {
        var scalars = new HashSet<string>(StringComparer.Ordinal) { time.Name };
        for (var i = 0; i < graph.Nodes.Count; i++)
        {
            var node = graph.Nodes[i];
            if (!node.Inputs.OfType<Value>().Any(v => scalars.Contains(v.Name)))
                continue;
            if (Scalarwise.Contains(node.OpType) && node.Inputs.OfType<Value>().All(v => scalars.Contains(v.Name) || ConstantOf(graph, v) is { Dims.Length: 0 }))
                scalars.Add(node.Output.Name);
            else if (node.OpType is "Unsqueeze" or "Reshape" && MakesOneAxis(graph, node))
                graph.Nodes[i] = new Node("Identity", [node.Input(0)], node.Outputs, null, node.Name);
            else if (node.OpType != "Expand")
                throw new TeacherMismatchException($"'{file}' takes one time '{time.Name}' for the whole batch and uses it in {node}. Export it with one time a sample: float32 or int64 [N].");
        }
    }

    private static bool MakesOneAxis(OnnxGraph graph, Node node) => node.OptionalInput(1) is { } second && ConstantOf(graph, second)?.ToLongs() is [var number]
        && (node.OpType == "Unsqueeze" ? number is 0 or -1 : number is 1 or -1);

    private static TensorData? ConstantOf(OnnxGraph graph, Value value) =>
        graph.Initializers.Find(i => i.Name == value.Name)?.Constant ?? (value.Producer is { OpType: "Constant" } producer ? producer.Attributes.Tensor("value") : null);
}
