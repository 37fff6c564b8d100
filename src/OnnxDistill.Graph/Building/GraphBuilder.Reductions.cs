using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Building;

public sealed partial class GraphBuilder
{
    /// <summary>The logarithm of the softmax along an axis.</summary>
    public Value LogSoftmax(Value x, long axis = -1) => Emit("LogSoftmax", [x], x.Type, x.KnownShape, ("axis", axis));

    /// <summary>Largest element over the axes (all when none are given).</summary>
    public Value ReduceMax(Value x, long[]? axes = null, bool keepDims = true) => Reduce("ReduceMax", x, axes, keepDims);

    /// <summary>Mean over the axes (all when none are given).</summary>
    public Value ReduceMean(Value x, long[]? axes = null, bool keepDims = true) => Reduce("ReduceMean", x, axes, keepDims);

    /// <summary>Sum over the axes (all when none are given).</summary>
    public Value ReduceSum(Value x, long[]? axes = null, bool keepDims = true) => Reduce("ReduceSum", x, axes, keepDims);

    /// <summary>ln of the sum of exponentials over the axes.</summary>
    public Value ReduceLogSumExp(Value x, long[]? axes = null, bool keepDims = true) => Reduce("ReduceLogSumExp", x, axes, keepDims);

    /// <summary>e^x normalised to a sum of 1 along an axis.</summary>
    public Value Softmax(Value x, long axis = -1) => Emit("Softmax", [x], x.Type, x.KnownShape, ("axis", axis));

    /// <summary>Sum over every axis but the first: one number a sample, shape [N, 1, ..., 1].</summary>
    public Value SumPerSample(Value x) => ReduceSum(x, SampleAxes(x));

    /// <summary>Mean over every axis but the first: one number a sample, shape [N, 1, ..., 1].</summary>
    public Value MeanPerSample(Value x) => ReduceMean(x, SampleAxes(x));

    /// <summary>Sums a broadcast result back to the shape that one of its operands had; x itself when it has that shape.</summary>
    public Value SumTo(Value x, Shape shape)
    {
        if (x.Shape.Equals(shape))
            return x;
        var lead = x.Shape.Rank - shape.Rank;
        var leading = Enumerable.Range(0, lead).Select(i => (long)i).ToArray();
        var widened = Enumerable.Range(0, shape.Rank).Where(i => shape[i] == 1 && x.Shape[lead + i] != 1).Select(i => (long)(lead + i)).ToArray();
        // One reduction does both: leading axes vanish in the reshape to the operand's shape.
        var sum = ReduceSum(x, [.. leading, .. widened], keepDims: widened.Length > 0);
        return Reshape(sum, shape);
    }

    private static long[] SampleAxes(Value x) => [.. Enumerable.Range(1, x.Shape.Rank - 1).Select(i => (long)i)];

    private Value Reduce(string op, Value x, long[]? axes, bool keepDims)
    {
        var all = axes is null || axes.Length == 0;
        var reduced = (all ? Enumerable.Range(0, x.Shape.Rank) : axes!.Select(a => x.Shape.Axis(a))).ToHashSet();
        var shape = new Shape(keepDims
            ? x.Shape.Select((d, i) => reduced.Contains(i) ? 1 : d)
            : x.Shape.Where((_, i) => !reduced.Contains(i)));
        // ReduceMax takes its axes as an attribute up to opset 17 and as an input from 18 on, like all reductions at the inner opset.
        return Emit(op, all ? [x] : [x, Longs([.. reduced.Order().Select(i => (long)i)])], x.Type, shape, ("keepdims", keepDims));
    }
}
