using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>y = running sums of x: dx is the running sum of dy from the other end.</summary>
internal sealed class CumSumRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, node) = (context.Builder, context.Node);
        var (exclusive, reverse) = (node.Attributes.Int("exclusive", 0) == 1, node.Attributes.Int("reverse", 0) == 1);
        return [g.CumSum(context.OutputGradient, node.Input(1), exclusive, !reverse), null];
    }
}

/// <summary>y = x with the first elements of each sequence in reverse: the same again puts dy back.</summary>
internal sealed class ReverseSequenceRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var node = context.Node;
        return [context.Builder.ReverseSequence(context.OutputGradient, node.Input(1), node.Attributes.Int("batch_axis", 1), node.Attributes.Int("time_axis", 0)), null];
    }
}

/// <summary>y = a triangle of x: dx is the same triangle of dy.</summary>
internal sealed class TriluRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var node = context.Node;
        var dx = context.Builder.Trilu(context.OutputGradient, node.OptionalInput(1), node.Attributes.Int("upper", 1) == 1);
        return [dx, .. new Value?[node.Inputs.Length - 1]];
    }
}
