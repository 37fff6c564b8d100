using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Gelu (opset 20): x * Phi(x) with the normal distribution function, exact or by the tanh approximation of Hendrycks and Gimpel,
/// "Gaussian Error Linear Units" (2016), section 2.</summary>
internal static class GeluConversion
{
    /// <summary>In terms of Erf or Tanh.</summary>
    public static void Lower(NodeRewriter r)
    {
        switch (r.Node.Attributes.Text("approximate", "none"))
        {
            case "none":
                Finish(r, r.Unary("Erf", r.Binary("Mul", r.X, r.Scalar("inv_sqrt2", Math.Sqrt(0.5)), "scaled"), "erf"));
                break;
            case "tanh":
                var cube = r.Binary("Mul", r.Binary("Mul", r.X, r.X, "square"), r.X, "cube");
                var inner = r.Binary("Add", r.X, r.Binary("Mul", cube, r.Scalar("c", 0.044715), "cubic"), "inner");
                Finish(r, r.Unary("Tanh", r.Binary("Mul", inner, r.Scalar("sqrt_2_pi", Math.Sqrt(2 / Math.PI)), "scaled"), "tanh"));
                break;
            case var other:
                r.Refuse($"the approximation '{other}' is not known");
                break;
        }
    }

    /// <summary>x/2 * (1 + s), where s estimates 2 Phi(x) - 1.</summary>
    private static void Finish(NodeRewriter r, Value s) => r.Replace("Mul",
    [
        r.Binary("Mul", r.X, r.Scalar("half", 0.5), "half_x"),
        r.Binary("Add", s, r.Scalar("one", 1), "one_plus"),
    ]);
}
