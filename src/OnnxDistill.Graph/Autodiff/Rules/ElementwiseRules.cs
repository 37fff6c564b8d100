using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>Arithmetic, choices and plain functions whose gradient is one line: y is the node's output, dy its gradient.</summary>
internal static class ElementwiseRules
{
    public static readonly IReadOnlyList<(string Op, ElementwiseGradient Gradient)> Table =
    [
        // y = |x|: dx = dy * sign(x)
        ("Abs", static (g, n, dy) => [g.Mul(dy, g.Sign(n.Input(0)))]),
        // y = a + b
        ("Add", static (_, _, dy) => [dy, dy]),
        // Precision conversions are linear; anything else has no gradient.
        ("Cast", static (g, n, dy) => [CastBack(g, n, dy)]),
        // The second input only tells the type.
        ("CastLike", static (g, n, dy) => [CastBack(g, n, dy), null]),
        // y = a / b: da = dy / b, db = -dy * y / b
        ("Div", static (g, n, dy) =>
        {
            var da = g.Div(dy, n.Input(1));
            return [da, g.Neg(g.Mul(da, n.Output))];
        }),
        // y = erf x: dx = dy * 2/sqrt(pi) * e^(-x^2)
        ("Erf", static (g, n, dy) => [g.Mul(dy, g.Mul(g.Exp(g.Neg(g.Square(n.Input(0)))), 2 / Math.Sqrt(Math.PI)))]),
        // y = e^x: dx = dy * y
        ("Exp", static (g, n, dy) => [g.Mul(dy, n.Output)]),
        ("Identity", static (_, _, dy) => [dy]),
        // y = ln x: dx = dy / x
        ("Log", static (g, n, dy) => [g.Div(dy, n.Input(0))]),
        ("Max", static (g, n, dy) => Extreme(g, n, dy)),
        // y = mean of the inputs
        ("Mean", static (g, n, dy) => [.. Enumerable.Repeat(g.Div(dy, n.Inputs.Length), n.Inputs.Length)]),
        ("Min", static (g, n, dy) => Extreme(g, n, dy)),
        // y = a - b trunc(a / b) of floats: da = dy, db = -dy trunc(a / b), and that quotient is (a - y) / b but for rounding
        ("Mod", static (g, n, dy) => [dy, g.Neg(g.Mul(dy, g.Round(g.Div(g.Sub(n.Input(0), n.Output), n.Input(1)))))]),
        // y = a * b
        ("Mul", static (g, n, dy) => [g.Mul(dy, n.Input(1)), g.Mul(dy, n.Input(0))]),
        ("Neg", static (g, _, dy) => [g.Neg(dy)]),
        ("Pow", static (g, n, dy) => PowGradient(g, n, dy)),
        // y = 1 / x: dx = -dy * y^2
        ("Reciprocal", static (g, n, dy) => [g.Neg(g.Mul(dy, g.Square(n.Output)))]),
        // y = sqrt x: dx = dy / (2 y)
        ("Sqrt", static (g, n, dy) => [g.Div(g.Mul(dy, 0.5), n.Output)]),
        // y = a - b
        ("Sub", static (g, _, dy) => [dy, g.Neg(dy)]),
        ("Sum", static (_, n, dy) => [.. Enumerable.Repeat(dy, n.Inputs.Length)]),
        // y = condition ? a : b
        ("Where", static (g, n, dy) => [null, g.Where(n.Input(0), dy, g.Scalar(0, dy.Type)), g.Where(n.Input(0), g.Scalar(0, dy.Type), dy)]),
    ];

    private static Value? CastBack(GraphBuilder g, Node n, Value dy) => n.Input(0).Type.IsFloating() ? g.Cast(dy, n.Input(0).Type) : null;

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
            // The small exponents need no power at all, and are exact at a = 0.
            return [constant.ToDoubles()[0] switch
            {
                0 => null,
                1 => dy,
                2 => g.Mul(dy, g.Mul(a, 2)),
                var exponent => g.Mul(dy, g.Mul(g.Pow(a, exponent - 1), exponent)),
            }, null];
        }
        var (zero, one) = (g.Scalar(0, a.Type), g.Scalar(1, a.Type));
        var floatingExponent = g.Cast(b, a.Type);
        // a^0 is 1 everywhere: 0 * a^-1 would be no number at a = 0.
        var safeBase = g.Where(g.Equal(floatingExponent, zero), one, a);
        var da = g.Mul(dy, g.Mul(floatingExponent, g.Pow(safeBase, g.Sub(floatingExponent, one))));
        if (!b.Type.IsFloating())
            return [da, null];
        var positive = g.Greater(a, zero);
        var db = g.Mul(g.Mul(dy, n.Output), g.Log(g.Where(positive, a, one)));
        return [da, g.Cast(g.Where(positive, db, zero), b.Type)];
    }
}
