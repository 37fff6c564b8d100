using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.Unrolling;

/// <summary>How a Loop is unrolled: how many turns it takes, or why that is not known.</summary>
/// <param name="Body">Its body.</param>
/// <param name="Turns">How often the body runs.</param>
/// <param name="Refusal">Why it cannot be unrolled, or null.</param>
internal sealed record LoopPlan(OnnxGraph Body, long Turns, string? Refusal)
{
    /// <summary>The plan of a Loop: (trip count, condition, carried...) -> (carried..., scanned...), with the body
    /// (turn, condition, carried...) -> (condition, carried..., scanned...).</summary>
    public static LoopPlan Of(Node node)
    {
        if (node.Attributes.FirstOrDefault(static a => a.Key == "body").Value is not OnnxGraph body)
            return new LoopPlan(new OnnxGraph(), 0, "it has no body");
        var carried = Math.Max(0, node.Inputs.Length - 2);
        if (body.Inputs.Count != carried + 2 || body.Outputs.Count < carried + 1)
            return new LoopPlan(body, 0, $"its body takes {body.Inputs.Count} inputs for {carried} carried values");
        var condition = node.OptionalInput(1);
        if (condition is not null && Constants.Truth(condition) is null)
            return new LoopPlan(body, 0, "its first condition is not constant");
        if (condition is not null && Constants.Truth(condition) == false)
            return Checked(node, body, 0, carried);
        if (Constants.Integer(node.OptionalInput(0)) is not { } turns)
            return new LoopPlan(body, 0, node.OptionalInput(0) is null ? "it runs until its condition fails" : "its trip count is not constant");
        var next = Source(body.Outputs[0]);
        if (Constants.Truth(next) != true && next.Name != body.Inputs[1].Name)
            return new LoopPlan(body, 0, "its condition changes inside");
        return Checked(node, body, Math.Max(0, turns), carried);
    }

    private static LoopPlan Checked(Node node, OnnxGraph body, long turns, int carried)
    {
        if (turns == 0 && node.Outputs.Skip(carried).Any(static o => o is not null))
            return new LoopPlan(body, 0, "it never runs, so that what it collects has no shape");
        return turns * Math.Max(1, body.Nodes.Count) > ControlFlow.MostNodes
            ? new LoopPlan(body, turns, $"{turns} turns of {body.Nodes.Count} nodes are too many to unroll")
            : new LoopPlan(body, turns, null);
    }

    /// <summary>The value that an Identity passes on.</summary>
    private static Value Source(Value value) => value.Producer is { Domain: "", OpType: "Identity" } node ? Source(node.Input(0)) : value;
}
