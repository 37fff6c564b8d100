using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>Activations whose gradient is a line or two: y is the node's output, dy its gradient. At kinks the smaller side counts, as in PyTorch.</summary>
internal static class ActivationRules
{
    public static readonly IReadOnlyList<(string Op, ElementwiseGradient Gradient)> Table =
    [
        // y = x for x > 0, alpha (e^(x / alpha) - 1) otherwise: dx = dy * (1 or y / alpha + 1)
        ("Celu", static (g, n, dy) => [WherePositive(g, n, dy, g.Mul(dy, g.Add(g.Div(n.Output, n.Attributes.Float("alpha", 1)), 1)))]),
        // y = x for x > 0, alpha (e^x - 1) otherwise: dx = dy * (1 or y + alpha)
        ("Elu", static (g, n, dy) => [WherePositive(g, n, dy, g.Mul(dy, g.Add(n.Output, n.Attributes.Float("alpha", 1))))]),
        // y = alpha x + beta limited to [0, 1]: dx = alpha dy strictly inside
        ("HardSigmoid", static (g, n, dy) => [g.Where(Between(g, n.Output, 0, 1), g.Mul(dy, n.Attributes.Float("alpha", 0.2f)), Zero(g, dy))]),
        // y = x (x + 3) / 6 inside (-3, 3), 0 below, x above: dx = dy * (x / 3 + 1/2), 0 or dy
        ("HardSwish", static (g, n, dy) => [g.Where(Between(g, n.Input(0), -3, 3), g.Mul(dy, g.Add(g.Div(n.Input(0), 3), 0.5)),
            WherePositive(g, n, dy, Zero(g, dy)))]),
        // y = x for x > 0, alpha x otherwise
        ("LeakyRelu", static (g, n, dy) => [WherePositive(g, n, dy, g.Mul(dy, n.Attributes.Float("alpha", 0.01f)))]),
        // y = x t, t = tanh(softplus x): dx = dy * (t + x sigmoid(x) (1 - t^2))
        ("Mish", static (g, n, dy) =>
        {
            var x = n.Input(0);
            var t = g.Tanh(g.Softplus(x));
            var slope = g.Mul(g.Silu(x), g.Sub(g.Scalar(1, dy.Type), g.Square(t)));
            return [g.Mul(dy, g.Add(t, slope))];
        }),
        // y = x for x > 0, slope x otherwise
        ("PRelu", static (g, n, dy) => [WherePositive(g, n, dy, g.Mul(dy, n.Input(1))), WherePositive(g, n, Zero(g, dy), g.Mul(dy, n.Input(0)))]),
        // The subgradient at 0 is 0, as in PyTorch.
        ("Relu", static (g, n, dy) => [WherePositive(g, n, dy, Zero(g, dy))]),
        // y = gamma x for x > 0, gamma alpha (e^x - 1) otherwise: dx = dy * (gamma or y + gamma alpha)
        ("Selu", static (g, n, dy) =>
        {
            var (alpha, gamma) = (n.Attributes.Float("alpha", 1.67326319217681884765625f), n.Attributes.Float("gamma", 1.05070102214813232421875f));
            return [WherePositive(g, n, g.Mul(dy, gamma), g.Mul(dy, g.Add(n.Output, (double)gamma * alpha)))];
        }),
        // y = x moved by the bias towards 0 where |x| > lambda, else 0
        ("Shrink", static (g, n, dy) => [g.Where(g.Greater(g.Abs(n.Input(0)), g.Scalar(n.Attributes.Float("lambd", 0.5f), dy.Type)), dy, Zero(g, dy))]),
        // y = sigmoid x: dx = dy * y * (1 - y)
        ("Sigmoid", static (g, n, dy) => [g.Mul(dy, g.Sub(n.Output, g.Square(n.Output)))]),
        // y = ln(1 + e^x): dx = dy * sigmoid x
        ("Softplus", static (g, n, dy) => [g.Mul(dy, g.Sigmoid(n.Input(0)))]),
        // y = x / (1 + |x|): dx = dy / (1 + |x|)^2
        ("Softsign", static (g, n, dy) => [g.Div(dy, g.Square(g.Add(g.Abs(n.Input(0)), 1)))]),
        // y = tanh x: dx = dy * (1 - y^2)
        ("Tanh", static (g, n, dy) => [g.Sub(dy, g.Mul(dy, g.Square(n.Output)))]),
        // y = x for x > alpha, 0 otherwise
        ("ThresholdedRelu", static (g, n, dy) =>
            [g.Where(g.Greater(n.Input(0), g.Scalar(n.Attributes.Float("alpha", 1), dy.Type)), dy, Zero(g, dy))]),
    ];

    private static Value Zero(GraphBuilder g, Value like) => g.Scalar(0, like.Type);

    private static Value WherePositive(GraphBuilder g, Node n, Value positive, Value otherwise) =>
        g.Where(g.Greater(n.Input(0), Zero(g, n.Input(0))), positive, otherwise);

    private static Value Between(GraphBuilder g, Value x, double low, double high) =>
        g.And(g.Greater(x, g.Scalar(low, x.Type)), g.Less(x, g.Scalar(high, x.Type)));
}
