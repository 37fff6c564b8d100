using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;

namespace OnnxDistill.Methods;

/// <summary>
/// Dropout in training graphs: each Dropout node of a network becomes x keep / (1 - ratio) with keep = (u >= ratio), u uniform host noise by counter. Networks
/// that are given the same set of masks drop the same numbers: node by node in the order of their graphs.
/// </summary>
internal sealed class DropoutMasks(LossContext context)
{
    private readonly Dictionary<string, Value> _draws = new(StringComparer.Ordinal);

    /// <summary>What stands for a network's nodes where it is not trained: nothing for its dropouts.</summary>
    public static Value? Inference(Node node, IReadOnlyList<Value?> inputs) => DropoutNodes.Ratio(node) is null ? null : inputs[0];

    /// <summary>What stands for a network's nodes where it is trained, for one placement of it.</summary>
    /// <param name="set">The set of masks.</param>
    public Func<Node, IReadOnlyList<Value?>, Value?> Training(string set)
    {
        var place = 0;
        return (node, inputs) => DropoutNodes.Ratio(node) is { } ratio ? Dropped(inputs[0]!, ratio, $"dropout_{set}_{place++}") : null; // it has an input
    }

    // Where chooses before anything is multiplied by a mask, so that what is kept for the gradient is a byte a number and half precision has no mask to cast.
    private Value Dropped(Value x, double ratio, string name)
    {
        var b = context.B;
        var keep = b.GreaterOrEqual(Draw(name, x.Shape), b.Scalar(ratio));
        // A node that drops everything scales nothing: 1/0 would come back as a gradient that is not a number.
        return b.Where(keep, b.Mul(x, ratio < 1 ? 1 / (1 - ratio) : 0), b.Scalar(0, x.Type));
    }

    // Networks of other shapes cannot share a draw, whatever set they are given.
    private Value Draw(string name, Shape shape)
    {
        var dims = shape.Sizes();
        if (_draws.TryGetValue(name, out var draw) && !shape.Equals(draw.Shape))
            name = $"{name}_{string.Join('x', dims)}";
        return _draws.TryGetValue(name, out draw) ? draw : _draws[name] = context.Uniform(name, dims);
    }
}
