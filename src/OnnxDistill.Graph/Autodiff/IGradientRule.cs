using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff;

/// <summary>
/// The vector-Jacobian product of one operator at opset 18. A rule emits only standard operators that have rules themselves or
/// stand in the no-gradient list, and never thinks about broadcasting, fan-out, or who wants the result.
/// </summary>
public interface IGradientRule
{
    /// <summary>Why this node cannot be differentiated, or null when it can.</summary>
    string? Refuses(Node node) => null;

    /// <summary>One gradient, or null, for each of the node's inputs; a gradient may still have the broadcast shape.</summary>
    IReadOnlyList<Value?> Apply(GradientContext context);
}

/// <summary>A one-line rule: the builder, the node, and the gradient of its only output.</summary>
/// <returns>One gradient, or null, for each of the node's inputs.</returns>
public delegate IReadOnlyList<Value?> ElementwiseGradient(GraphBuilder g, Node node, Value dy);

/// <summary>Where a gradient will run. Every form of a gradient is right everywhere; which one is quick depends on the device.</summary>
public enum GradientTarget
{
    /// <summary>A processor, whose convolutions take a kernel of any size from cache.</summary>
    Cpu,
    /// <summary>A device whose convolutions are made for small kernels.</summary>
    Gpu,
}

/// <summary>What a rule sees: a builder, the node, and the gradients that arrived at its outputs.</summary>
/// <param name="Builder">Emits the gradient's nodes.</param>
/// <param name="Node">The node of the forward pass.</param>
/// <param name="OutputGradients">The gradient of each output, null where none arrived; at least one is there.</param>
/// <param name="Target">Where the gradient will run.</param>
public sealed record GradientContext(GraphBuilder Builder, Node Node, IReadOnlyList<Value?> OutputGradients, GradientTarget Target)
{
    /// <summary>The gradient of the first output.</summary>
    public Value OutputGradient => OutputGradients[0]
        ?? throw new InvalidOperationException($"No gradient arrived at the first output of {Node}.");

    /// <summary>The gradient of an output, zeros where none arrived.</summary>
    public Value OutputGradientOrZeros(int index)
    {
        var output = Node.Outputs[index] ?? throw new InvalidOperationException($"{Node} has no output {index}.");
        return OutputGradients[index] ?? Builder.Full(output.Shape, 0, output.Type);
    }
}

/// <summary>A row of <see cref="Rules.ElementwiseRules"/> as a rule.</summary>
internal sealed class ElementwiseRule(ElementwiseGradient gradient) : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context) => gradient(context.Builder, context.Node, context.OutputGradient);
}
