using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Rewrites;

/// <summary>
/// before: op(Expand(x), y) → after: op(x, y), where op broadcasts and the result keeps its shape: the widened copy is never written to memory.
/// </summary>
internal sealed class ExpandIntoBroadcast : INodeRewrite
{
    // Mod, BitShift and PRelu broadcast too, but do not occur in gradients.
    public IReadOnlyList<string> Operators { get; } =
        ["Add", "And", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Min", "Mul", "Or", "Pow", "Sub", "Sum", "Where", "Xor"];

    public RewriteResult Apply(RewriteContext context, Node node)
    {
        if (node.Output.KnownShape is not { IsStatic: true } shape || node.Inputs.Any(static i => i?.KnownShape is not { IsStatic: true }))
            return RewriteResult.Keep("its shapes are not known");
        Value?[] inputs = [.. node.Inputs];
        var changed = false;
        for (var i = 0; i < inputs.Length; i++)
        {
            while (RewriteContext.Made(inputs[i], "Expand") is { } expand && expand.Input(0).KnownShape is { IsStatic: true } && FitsWith(expand.Input(0), i))
            {
                inputs[i] = expand.Input(0);
                changed = true;
            }
        }
        return changed ? context.Builder.Emit(node.OpType, inputs, node.Output.Type, shape, node.Attributes.Select(static a => (a.Key, (object?)a.Value)))
            : RewriteResult.Keep("no operand is an Expand that broadcasting could do");

        bool FitsWith(Value operand, int at) =>
            inputs.Select((v, i) => i == at ? operand.Shape : v!.Shape).Aggregate(Shape.Broadcast).Equals(shape);
    }
}
