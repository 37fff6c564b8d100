using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>y = softmax x along an axis: dx = y (dy - sum(dy y)).</summary>
internal sealed class SoftmaxRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, y, dy) = (context.Builder, context.Node.Output, context.OutputGradient);
        var product = g.Mul(dy, y);
        return [g.Sub(product, g.Mul(y, g.ReduceSum(product, [context.Node.Attributes.Int("axis", -1)])))];
    }
}

/// <summary>y = x - ln sum e^x along an axis: dx = dy - e^y sum(dy).</summary>
internal sealed class LogSoftmaxRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var (g, y, dy) = (context.Builder, context.Node.Output, context.OutputGradient);
        return [g.Sub(dy, g.Mul(g.Exp(y), g.ReduceSum(dy, [context.Node.Attributes.Int("axis", -1)])))];
    }
}
