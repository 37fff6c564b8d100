using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Tests.Passes;

/// <summary>A small graph and what the passes leave of it: a row of the table. Both test projects compile this file: the one looks at the nodes,
/// the other at the numbers.</summary>
/// <param name="Name">What the row shows.</param>
/// <param name="Left">Operators that are left, in order.</param>
/// <param name="Build">Emits the graph over the inputs x [2, 3, 4], y [2, 1, 4] and m [3, 4]; returns its output.</param>
internal sealed record PassCase(string Name, string Left, Func<GraphBuilder, Value, Value, Value, Value> Build)
{
    /// <summary>Relative error of the numbers: 0 where nothing is rounded otherwise than before.</summary>
    public double Tolerance { get; init; }

    public override string ToString() => Name;

    /// <summary>The model before the passes.</summary>
    public OnnxModel Model()
    {
        var b = new GraphBuilder("case");
        var x = b.Input("x", ElementType.Float32, Shape.Of(2, 3, 4));
        var y = b.Input("y", ElementType.Float32, Shape.Of(2, 1, 4));
        var m = b.Input("m", ElementType.Float32, Shape.Of(3, 4));
        // A step of its own at the end: a mere change of shape never becomes an output.
        b.Output("out", b.Sqrt(b.Abs(Build(b, x, y, m))));
        return new OnnxModel(b.Graph);
    }
}

/// <summary>The table. Every graph ends in Abs and Sqrt, which the rows leave out.</summary>
internal static class PassCases
{
    /// <summary>Sums in another order: a few roundings of float32.</summary>
    private const double Reordered = 1e-6;

    public static IReadOnlyList<PassCase> All { get; } =
    [
        new("Transposes that undo each other", "", (b, x, y, m) => b.Transpose(b.Transpose(x, 2, 0, 1), 1, 2, 0)),
        new("Transposes one after the other", "Transpose", (b, x, y, m) => b.Transpose(b.Transpose(x, 2, 0, 1), 2, 0, 1)),
        new("a Transpose of extents of 1 only", "Reshape", (b, x, y, m) => b.Transpose(y, 1, 0, 2)),
        new("a Transpose that moves elements", "Transpose", (b, x, y, m) => b.Transpose(x, 1, 0, 2)),
        new("changes of shape that undo each other", "", (b, x, y, m) => b.Reshape(b.Unsqueeze(b.Reshape(x, Shape.Of(6, 4)), 0), x.Shape)),
        new("changes of shape one after the other", "Reshape", (b, x, y, m) => b.Unsqueeze(b.Squeeze(y, 1), 0)),
        new("a lossless cast and back", "", (b, x, y, m) => b.Cast(b.Cast(x, ElementType.Float64), ElementType.Float32)),
        new("a cast that rounds stays", "Cast Cast", (b, x, y, m) => b.Cast(b.Cast(x, ElementType.Float16), ElementType.Float32)),
        new("Identity", "", (b, x, y, m) => b.Identity(x)),
        new("Neg twice", "", (b, x, y, m) => b.Neg(b.Neg(x))),
        new("a sum with a Neg", "Sub", (b, x, y, m) => b.Add(x, b.Neg(y))),
        new("a sum that begins with a Neg", "Sub", (b, x, y, m) => b.Add(b.Neg(y), x)),
        new("a difference with a Neg", "Add", (b, x, y, m) => b.Sub(x, b.Neg(y))),
        new("a product of two Negs", "Mul", (b, x, y, m) => b.Mul(b.Neg(x), b.Neg(y))),
        new("Neg of a difference", "Sub", (b, x, y, m) => b.Neg(b.Sub(x, y))),
        new("Neg of a difference that is used elsewhere", "Sub Neg Exp Mul", (b, x, y, m) => b.Sub(x, y) is var d ? b.Mul(b.Neg(d), b.Exp(d)) : d),
        new("adding zeros", "", (b, x, y, m) => b.Add(x, b.Full(x.Shape, 0))),
        new("subtracting from zeros stays", "Sub", (b, x, y, m) => b.Sub(b.Full(x.Shape, 0), x)),
        new("adding zeros that widen", "Expand", (b, x, y, m) => b.Add(b.Full(x.Shape, 0), y)),
        new("multiplying by 1", "", (b, x, y, m) => b.Mul(b.Full(x.Shape, 1), x)),
        new("dividing by 1", "", (b, x, y, m) => b.Div(x, 1)),
        new("1 divided by x stays", "Div", (b, x, y, m) => b.Div(b.Scalar(1), x)),
        new("Expand before a broadcasting operation", "Mul", (b, x, y, m) => b.Mul(x, b.Expand(y, x.Shape))),
        new("Expand that widens the result stays", "Expand Mul", (b, x, y, m) => b.Mul(b.Expand(y, x.Shape), b.Expand(y, x.Shape))),
        new("Expand twice", "ReduceMax Expand", (b, x, y, m) => b.Expand(b.Expand(b.ReduceMax(y), y.Shape), x.Shape)),
        new("a number expanded and reshaped", "Greater Expand Where", (b, x, y, m) => b.Where(b.Greater(y, y), y, b.Reshape(b.Expand(b.Scalar(3), Shape.Of(6, 4)), x.Shape))),
        new("sums of sums", "ReduceSum", (b, x, y, m) => b.ReduceSum(b.ReduceSum(x, [0], keepDims: false), [1], keepDims: false)) { Tolerance = Reordered },
        new("sums of sums, axes kept", "ReduceSum", (b, x, y, m) => b.ReduceSum(b.ReduceSum(x, [2]), [0])) { Tolerance = Reordered },
        new("sums of sums, axes kept by the outer one", "ReduceSum Reshape", (b, x, y, m) => b.ReduceSum(b.ReduceSum(x, [1], keepDims: false), [1])) { Tolerance = Reordered },
        new("means of means", "ReduceMean", (b, x, y, m) => b.ReduceMean(b.ReduceMean(x, [1]), [2])) { Tolerance = Reordered },
        new("a sum over extents of 1", "Reshape", (b, x, y, m) => b.ReduceSum(y, [1], keepDims: false)),
        new("sums of a sum that is used elsewhere", "ReduceSum ReduceSum Mul", (b, x, y, m) => b.ReduceSum(x, [0]) is var s ? b.Mul(s, b.ReduceSum(s, [2])) : s),
        new("a transposed matrix in Gemm", "Gemm", (b, x, y, m) => b.Gemm(b.Transpose(m, 1, 0), m)) { Tolerance = Reordered },
        new("a transposed matrix in MatMul", "Gemm", (b, x, y, m) => b.MatMul(m, b.Transpose(m, 1, 0))) { Tolerance = Reordered },
        new("a transposed batch in MatMul stays", "Transpose MatMul", (b, x, y, m) => b.MatMul(x, b.TransposeLast(x))),
        new("one expression twice", "Exp Mul", (b, x, y, m) => b.Mul(b.Exp(x), b.Exp(x))),
        new("a sum with its operands swapped", "Add Mul", (b, x, y, m) => b.Mul(b.Add(x, y), b.Add(y, x))),
        new("a difference with its operands swapped stays", "Sub Sub Mul", (b, x, y, m) => b.Mul(b.Sub(x, y), b.Sub(y, x))),
        new("other attributes", "ReduceMax Squeeze ReduceMax Add", (b, x, y, m) => b.Add(b.Squeeze(b.ReduceMax(x, [1]), 1), b.ReduceMax(x, [1], keepDims: false))),
        new("results that nobody uses", "", (b, x, y, m) => b.Exp(x) is null ? y : x),
    ];
}
