namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>Circular and hyperbolic functions and their inverses. ONNX Runtime has CUDA kernels of Cos, Sin and Tanh only, so no gradient
/// brings in another one.</summary>
internal static class TrigonometricRules
{
    public static readonly IReadOnlyList<(string Op, ElementwiseGradient Gradient)> Table =
    [
        // dx = -dy / sqrt(1 - x^2)
        ("Acos", static (g, n, dy) => [g.Neg(g.Div(dy, g.Sqrt(g.Sub(g.Scalar(1, dy.Type), g.Square(n.Input(0))))))]),
        // dx = dy / sqrt((x - 1)(x + 1)): the product keeps its digits near 1
        ("Acosh", static (g, n, dy) => [g.Div(dy, g.Sqrt(g.Mul(g.Add(n.Input(0), -1), g.Add(n.Input(0), 1))))]),
        // dx = dy / sqrt(1 - x^2)
        ("Asin", static (g, n, dy) => [g.Div(dy, g.Sqrt(g.Sub(g.Scalar(1, dy.Type), g.Square(n.Input(0)))))]),
        // dx = dy / sqrt(x^2 + 1)
        ("Asinh", static (g, n, dy) => [g.Div(dy, g.Sqrt(g.Add(g.Square(n.Input(0)), 1)))]),
        // dx = dy / (1 + x^2)
        ("Atan", static (g, n, dy) => [g.Div(dy, g.Add(g.Square(n.Input(0)), 1))]),
        // dx = dy / (1 - x^2)
        ("Atanh", static (g, n, dy) => [g.Div(dy, g.Sub(g.Scalar(1, dy.Type), g.Square(n.Input(0))))]),
        // y = cos x: dx = -dy * sin x
        ("Cos", static (g, n, dy) => [g.Neg(g.Mul(dy, g.Sin(n.Input(0))))]),
        // dx = dy * sinh x, which is y tanh x
        ("Cosh", static (g, n, dy) => [g.Mul(dy, g.Mul(n.Output, g.Tanh(n.Input(0))))]),
        // y = sin x: dx = dy * cos x
        ("Sin", static (g, n, dy) => [g.Mul(dy, g.Cos(n.Input(0)))]),
        // dx = dy * cosh x, which is (e^x + e^-x) / 2
        ("Sinh", static (g, n, dy) => [g.Mul(dy, g.Mul(g.Add(g.Exp(n.Input(0)), g.Exp(g.Neg(n.Input(0)))), 0.5))]),
        // dx = dy * (1 + y^2)
        ("Tan", static (g, n, dy) => [g.Mul(dy, g.Add(g.Square(n.Output), 1))]),
    ];
}
