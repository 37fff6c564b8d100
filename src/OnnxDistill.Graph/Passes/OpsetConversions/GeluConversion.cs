using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Gelu (opset 20): x * Phi(x) with the normal distribution function, exact or by the tanh approximation of Hendrycks and Gimpel,
/// "Gaussian Error Linear Units" (2016), section 2; and the forms of it that ONNX Runtime fuses.</summary>
internal static class GeluConversion
{
    /// <summary>In terms of Erf or Tanh.</summary>
    public static void Lower(NodeRewriter r)
    {
        switch (r.Node.Attributes.Text("approximate", "none"))
        {
            case "none":
                Exact(r, r.X);
                break;
            case "tanh":
                Tanh(r, r.X);
                break;
            case var other:
                r.Refuse($"the approximation '{other}' is not known");
                break;
        }
    }

    /// <summary>com.microsoft::BiasGelu: of x + bias, exact.</summary>
    public static void Biased(NodeRewriter r) => Exact(r, r.Add(r.X, r.Node.Input(1), "with_bias"));

    /// <summary>com.microsoft::FastGelu: of x + bias (if any), by tanh.</summary>
    public static void Fast(NodeRewriter r) => Tanh(r, r.AddIfAny(r.X, r.Node.OptionalInput(1), "with_bias"));

    /// <summary>com.microsoft::QuickGelu: x * sigmoid(alpha x).</summary>
    public static void Quick(NodeRewriter r) => r.Replace("Mul",
        [r.X, r.Unary("Sigmoid", r.Mul(r.X, r.Scalar("alpha", r.Node.Attributes.Float("alpha", 1.702f)), "scaled"), "sigmoid")]);

    private static void Exact(NodeRewriter r, Value x) =>
        Finish(r, x, r.Unary("Erf", r.Mul(x, r.Scalar("inv_sqrt2", Math.Sqrt(0.5)), "scaled"), "erf"));

    private static void Tanh(NodeRewriter r, Value x)
    {
        var cube = r.Mul(r.Mul(x, x, "square"), x, "cube");
        var inner = r.Add(x, r.Mul(cube, r.Scalar("c", 0.044715), "cubic"), "inner");
        Finish(r, x, r.Unary("Tanh", r.Mul(inner, r.Scalar("sqrt_2_pi", Math.Sqrt(2 / Math.PI)), "scaled"), "tanh"));
    }

    /// <summary>x/2 * (1 + s), where s estimates 2 Phi(x) - 1.</summary>
    private static void Finish(NodeRewriter r, Value x, Value s) =>
        r.Replace("Mul", [r.Mul(x, r.Scalar("half", 0.5), "half_x"), r.Add(s, r.Scalar("one", 1), "one_plus")]);
}
