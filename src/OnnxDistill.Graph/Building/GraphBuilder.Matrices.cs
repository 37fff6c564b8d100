using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Building;

public sealed partial class GraphBuilder
{
    /// <summary>The determinant of each matrix [..., n, n].</summary>
    public Value Det(Value x) => Emit("Det", [x], x.Type, new Shape(x.Shape.SkipLast(2)));
}
