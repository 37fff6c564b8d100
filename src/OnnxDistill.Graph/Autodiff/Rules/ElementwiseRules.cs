using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>Gradients that are one line: y is the node's output, dy its gradient.</summary>
internal static class ElementwiseRules
{
    public static readonly IReadOnlyList<(string Op, ElementwiseGradient Gradient)> Table =
    [
        // y = |x|: dx = dy * sign(x)
        ("Abs", static (g, n, dy) => [g.Mul(dy, g.Sign(n.Input(0)))]),
        // y = a + b
        ("Add", static (_, _, dy) => [dy, dy]),
        // Precision conversions are linear; anything else has no gradient.
        ("Cast", static (g, n, dy) => [n.Input(0).Type.IsFloating() ? g.Cast(dy, n.Input(0).Type) : null]),
        // y = cos x: dx = -dy * sin x
        ("Cos", static (g, n, dy) => [g.Neg(g.Mul(dy, g.Sin(n.Input(0))))]),
        // y = a / b: da = dy / b, db = -dy * y / b
        ("Div", static (g, n, dy) =>
        {
            var da = g.Div(dy, n.Input(1));
            return [da, g.Neg(g.Mul(da, n.Output))];
        }),
        // y = elu(x) = x for x > 0, alpha (e^x - 1) otherwise: dx = dy * (1 or y + alpha)
        ("Elu", static (g, n, dy) => [g.Where(g.Greater(n.Input(0), g.Scalar(0, dy.Type)), dy,
            g.Mul(dy, g.Add(n.Output, n.Attributes.Float("alpha", 1))))]),
        // y = erf x: dx = dy * 2/sqrt(pi) * e^(-x^2)
        ("Erf", static (g, n, dy) => [g.Mul(dy, g.Mul(g.Exp(g.Neg(g.Square(n.Input(0)))), 2 / Math.Sqrt(Math.PI)))]),
        // y = e^x: dx = dy * y
        ("Exp", static (g, n, dy) => [g.Mul(dy, n.Output)]),
        ("Identity", static (_, _, dy) => [dy]),
        // y = x for x > 0, alpha x otherwise
        ("LeakyRelu", static (g, n, dy) => [g.Where(g.Greater(n.Input(0), g.Scalar(0, dy.Type)), dy,
            g.Mul(dy, n.Attributes.Float("alpha", 0.01f)))]),
        // y = ln x: dx = dy / x
        ("Log", static (g, n, dy) => [g.Div(dy, n.Input(0))]),
        ("Max", static (g, n, dy) => Extreme(g, n, dy)),
        // y = mean of the inputs
        ("Mean", static (g, n, dy) => [.. Enumerable.Repeat(g.Div(dy, n.Inputs.Length), n.Inputs.Length)]),
        ("Min", static (g, n, dy) => Extreme(g, n, dy)),
        // y = a * b
        ("Mul", static (g, n, dy) => [g.Mul(dy, n.Input(1)), g.Mul(dy, n.Input(0))]),
        ("Neg", static (g, _, dy) => [g.Neg(dy)]),
        ("Pow", static (g, n, dy) => PowGradient(g, n, dy)),
        // y = 1 / x: dx = -dy * y^2
        ("Reciprocal", static (g, n, dy) => [g.Neg(g.Mul(dy, g.Square(n.Output)))]),
        // The subgradient at 0 is 0, as in PyTorch.
        ("Relu", static (g, n, dy) => [g.Where(g.Greater(n.Input(0), g.Scalar(0, dy.Type)), dy, g.Scalar(0, dy.Type))]),
        // y = sigmoid x: dx = dy * y * (1 - y)
        ("Sigmoid", static (g, n, dy) => [g.Mul(dy, g.Sub(n.Output, g.Square(n.Output)))]),
        // y = sin x: dx = dy * cos x
        ("Sin", static (g, n, dy) => [g.Mul(dy, g.Cos(n.Input(0)))]),
        // y = ln(1 + e^x): dx = dy * sigmoid x
        ("Softplus", static (g, n, dy) => [g.Mul(dy, g.Sigmoid(n.Input(0)))]),
        // y = sqrt x: dx = dy / (2 y)
        ("Sqrt", static (g, n, dy) => [g.Div(g.Mul(dy, 0.5), n.Output)]),
        // y = a - b
        ("Sub", static (g, _, dy) => [dy, g.Neg(dy)]),
        ("Sum", static (_, n, dy) => [.. Enumerable.Repeat(dy, n.Inputs.Length)]),
        // y = tanh x: dx = dy * (1 - y^2)
        ("Tanh", static (g, n, dy) => [g.Sub(dy, g.Mul(dy, g.Square(n.Output)))]),
        // y = condition ? a : b
        ("Where", static (g, n, dy) => [null, g.Where(n.Input(0), dy, g.Scalar(0, dy.Type)), g.Where(n.Input(0), g.Scalar(0, dy.Type), dy)]),
    ];

    // The input that equals the result gets the gradient; at ties each of them does in equal parts (as NumPy's and JAX's convention has it).
    private static Value?[] Extreme(GraphBuilder g, Node n, Value dy)
    {
        if (n.Inputs.Length == 1)
            return [dy];
        var chosen = Array.ConvertAll(n.Inputs, x => g.Cast(g.Equal(x!, n.Output), dy.Type));
        var share = g.Div(dy, g.Sum(chosen));
        return Array.ConvertAll(chosen, c => (Value?)g.Mul(share, c));
    }

    // y = a^b: da = dy * b * a^(b-1), db = dy * y * ln a (0 where a <= 0: y does not depend smoothly on b there).
    private static Value?[] PowGradient(GraphBuilder g, Node n, Value dy)
    {
        var (a, b) = (n.Input(0), n.Input(1));
        if (b.Constant is { ElementCount: 1 } constant && constant.Type.IsFloating())
        {
            var exponent = constant.ToDoubles()[0];
            // The common square needs no power at all, and is exact at 0.
            return [exponent == 2 ? g.Mul(dy, g.Mul(a, 2)) : g.Mul(dy, g.Mul(g.Pow(a, exponent - 1), exponent)), null];
        }
        var floatingExponent = g.Cast(b, a.Type);
        var da = g.Mul(dy, g.Mul(floatingExponent, g.Pow(a, g.Sub(floatingExponent, g.Scalar(1, a.Type)))));
        if (!b.Type.IsFloating())
            return [da, null];
        var positive = g.Greater(a, g.Scalar(0, a.Type));
        var safe = g.Where(positive, a, g.Scalar(1, a.Type));
        var db = g.Mul(g.Mul(dy, n.Output), g.Log(safe));
        return [da, g.Cast(g.Where(positive, db, g.Scalar(0, a.Type)), b.Type)];
    }
}
