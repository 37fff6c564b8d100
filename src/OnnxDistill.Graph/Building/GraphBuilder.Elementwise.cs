using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Building;

public sealed partial class GraphBuilder
{
    /// <summary>|x|.</summary>
    public Value Abs(Value x) => Unary("Abs", x);
    /// <summary>x + y, broadcast.</summary>
    public Value Add(Value x, Value y) => Binary("Add", x, y);
    /// <summary>x + a number.</summary>
    public Value Add(Value x, double y) => Add(x, Scalar(y, x.Type));
    /// <summary>Both hold.</summary>
    public Value And(Value x, Value y) => Compare("And", x, y);
    /// <summary>Conversion to another element type; none when it already has it.</summary>
    public Value Cast(Value x, ElementType to) => x.Type == to ? x : Emit("Cast", [x], to, x.KnownShape, ("to", to));
    /// <summary>x limited to [low, high]; a bound left out is open.</summary>
    public Value Clip(Value x, double? low, double? high) => Emit("Clip",
        [x, low is { } l ? Scalar(l, x.Type) : null, high is { } h ? Scalar(h, x.Type) : null], x.Type, x.KnownShape);
    /// <summary>cos x.</summary>
    public Value Cos(Value x) => Unary("Cos", x);
    /// <summary>x / y, broadcast.</summary>
    public Value Div(Value x, Value y) => Binary("Div", x, y);
    /// <summary>x / a number.</summary>
    public Value Div(Value x, double y) => Div(x, Scalar(y, x.Type));
    /// <summary>x == y.</summary>
    public Value Equal(Value x, Value y) => Compare("Equal", x, y);
    /// <summary>The error function.</summary>
    public Value Erf(Value x) => Unary("Erf", x);
    /// <summary>e to the x.</summary>
    public Value Exp(Value x) => Unary("Exp", x);
    /// <summary>x &gt; y.</summary>
    public Value Greater(Value x, Value y) => Compare("Greater", x, y);
    /// <summary>x &gt;= y.</summary>
    public Value GreaterOrEqual(Value x, Value y) => Compare("GreaterOrEqual", x, y);
    /// <summary>x itself under another name.</summary>
    public Value Identity(Value x) => Unary("Identity", x);
    /// <summary>x is plus or minus infinity.</summary>
    public Value IsInf(Value x) => Emit("IsInf", [x], ElementType.Bool, x.KnownShape);
    /// <summary>x is not a number.</summary>
    public Value IsNaN(Value x) => Emit("IsNaN", [x], ElementType.Bool, x.KnownShape);
    /// <summary>x &lt; y.</summary>
    public Value Less(Value x, Value y) => Compare("Less", x, y);
    /// <summary>x &lt;= y.</summary>
    public Value LessOrEqual(Value x, Value y) => Compare("LessOrEqual", x, y);
    /// <summary>The natural logarithm.</summary>
    public Value Log(Value x) => Unary("Log", x);
    /// <summary>The larger of both, broadcast.</summary>
    public Value Max(Value x, Value y) => Binary("Max", x, y);
    /// <summary>The smaller of both, broadcast.</summary>
    public Value Min(Value x, Value y) => Binary("Min", x, y);
    /// <summary>x * y, broadcast.</summary>
    public Value Mul(Value x, Value y) => Binary("Mul", x, y);
    /// <summary>x * a number.</summary>
    public Value Mul(Value x, double y) => Mul(x, Scalar(y, x.Type));
    /// <summary>-x.</summary>
    public Value Neg(Value x) => Unary("Neg", x);
    /// <summary>Does not hold.</summary>
    public Value Not(Value x) => Emit("Not", [x], ElementType.Bool, x.KnownShape);
    /// <summary>One of both holds.</summary>
    public Value Or(Value x, Value y) => Compare("Or", x, y);
    /// <summary>x to the power of y, broadcast.</summary>
    public Value Pow(Value x, Value y) => Emit("Pow", [x, y], x.Type, BroadcastShape(x, y));
    /// <summary>x to the power of a number.</summary>
    public Value Pow(Value x, double y) => Pow(x, Scalar(y, x.Type));
    /// <summary>1 / x.</summary>
    public Value Reciprocal(Value x) => Unary("Reciprocal", x);
    /// <summary>max(x, 0).</summary>
    public Value Relu(Value x) => Unary("Relu", x);
    /// <summary>The nearest whole number, halves to the even one.</summary>
    public Value Round(Value x) => Unary("Round", x);
    /// <summary>1 / (1 + e^-x).</summary>
    public Value Sigmoid(Value x) => Unary("Sigmoid", x);
    /// <summary>-1, 0 or 1.</summary>
    public Value Sign(Value x) => Unary("Sign", x);
    /// <summary>x * sigmoid(x), also called swish.</summary>
    public Value Silu(Value x) => Mul(x, Sigmoid(x));
    /// <summary>sin x.</summary>
    public Value Sin(Value x) => Unary("Sin", x);
    /// <summary>ln(1 + e^x).</summary>
    public Value Softplus(Value x) => Unary("Softplus", x);
    /// <summary>The square root.</summary>
    public Value Sqrt(Value x) => Unary("Sqrt", x);
    /// <summary>x * x.</summary>
    public Value Square(Value x) => Mul(x, x);
    /// <summary>An IR marker: the value passes, no gradient does. Erased when the graph is written.</summary>
    public Value StopGradient(Value x)
    {
        var name = Reserve(StopGradientMarker.OpType);
        var output = new Value(name, x.Type, x.KnownShape);
        Graph.Nodes.Add(new Node(StopGradientMarker.OpType, [x], [output], null, name, StopGradientMarker.Domain));
        return output;
    }
    /// <summary>x - y, broadcast.</summary>
    public Value Sub(Value x, Value y) => Binary("Sub", x, y);
    /// <summary>The sum of any number of values, broadcast.</summary>
    public Value Sum(params ReadOnlySpan<Value> values)
    {
        Shape? shape = values[0].KnownShape;
        foreach (var value in values[1..])
            shape = shape is null || value.KnownShape is null ? null : Shape.Broadcast(shape, value.KnownShape);
        return Emit("Sum", values.ToArray(), values[0].Type, shape);
    }
    /// <summary>The hyperbolic tangent.</summary>
    public Value Tanh(Value x) => Unary("Tanh", x);
    /// <summary>x where the condition holds, else y; broadcast.</summary>
    public Value Where(Value condition, Value x, Value y) => Emit("Where", [condition, x, y], x.Type,
        BroadcastShape(x, y) is { } shape && condition.KnownShape is { } c ? Shape.Broadcast(c, shape) : null);

    private Value Unary(string op, Value x) => Emit(op, [x], x.Type, x.KnownShape);

    private Value Binary(string op, Value x, Value y)
    {
        if (x.Type != y.Type)
            throw new ArgumentException($"{op} needs two values of one type, found {x} and {y}.");
        return Emit(op, [x, y], x.Type, BroadcastShape(x, y));
    }

    private Value Compare(string op, Value x, Value y) => Emit(op, [x, y], ElementType.Bool, BroadcastShape(x, y));

    private static Shape? BroadcastShape(Value x, Value y) =>
        x.KnownShape is { } a && y.KnownShape is { } b ? Shape.Broadcast(a, b) : null;
}
