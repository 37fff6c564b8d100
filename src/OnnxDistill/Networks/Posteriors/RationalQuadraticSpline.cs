using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Networks.Posteriors;

/// <summary>
/// A monotone piecewise rational-quadratic function on [-bound, bound] that goes on as the identity (Gregory and Delbourgo 1982, as Durkan et al. 2019, arXiv 1906.04032,
/// equations 4 and 5, with linear tails): pieces of widths w and heights h, slopes d at the knots, 1 at both ends.
/// With s = h/w and t the place within a piece: y = y_k + h (s t² + d_k t (1 - t)) / (s + (d_k + d_(k+1) - 2 s) t (1 - t)).
/// </summary>
internal static class RationalQuadraticSpline
{
    // Shares of the whole, and a slope, that no piece falls below: the inverse stays a function.
    private const double SmallestShare = 1e-3, SmallestSlope = 1e-3;

    /// <summary>Values and logarithms of the slopes at x [N, D].</summary>
    /// <param name="b">Receives the nodes.</param>
    /// <param name="x">Where.</param>
    /// <param name="parameters">Numbers that decide the spline, [N, D, 3 bins - 1]; zeros make it the identity.</param>
    /// <param name="bins">Pieces.</param>
    /// <param name="bound">End of the splines.</param>
    public static (Value Y, Value LogSlope) Apply(GraphBuilder b, Value x, Value parameters, int bins, double bound)
    {
        using var scope = b.Scope("spline");
        var parts = b.Split(parameters, 2, bins, bins, bins - 1);
        var (widths, lefts) = Pieces(b, parts[0], bins, bound);
        var (heights, bottoms) = Pieces(b, parts[1], bins, bound);
        var slopes = b.Add(b.Softplus(b.Add(parts[2], Math.Log(Math.Exp(1 - SmallestSlope) - 1))), SmallestSlope);
        var one = b.Full(Shape.Of(x.Shape[0], x.Shape[1], 1), 1);

        // The piece that x lies in, as a one-hot vector: the last whose left end x has reached.
        var inside = b.Clip(x, -bound, bound);
        var reached = b.Cast(b.GreaterOrEqual(b.Unsqueeze(inside, 2), lefts), ElementType.Float32);
        var passed = b.Pad(b.Slice(reached, 2, 1, bins), [0, 0, 0], [0, 0, 1]);
        var piece = b.Sub(reached, passed);
        Value Of(Value pieces) => b.ReduceSum(b.Mul(piece, pieces), [2], keepDims: false);

        var (w, h) = (Of(widths), Of(heights));
        var (d0, d1) = (Of(b.Concat(2, one, slopes)), Of(b.Concat(2, slopes, one)));
        var t = b.Div(b.Sub(inside, Of(lefts)), w);
        var left = b.Sub(b.Scalar(1), t);
        var (s, mixed) = (b.Div(h, w), b.Mul(t, left));
        var denominator = b.Add(s, b.Mul(b.Sub(b.Add(d0, d1), b.Mul(s, 2)), mixed));
        var y = b.Add(Of(bottoms), b.Div(b.Mul(h, b.Add(b.Mul(s, b.Square(t)), b.Mul(d0, mixed))), denominator));
        var rise = b.Sum(b.Mul(d1, b.Square(t)), b.Mul(b.Mul(s, 2), mixed), b.Mul(d0, b.Square(left)));
        var logSlope = b.Add(b.Log(rise), b.Mul(b.Log(b.Div(s, denominator)), 2));

        var isInside = b.Less(b.Abs(x), b.Scalar(bound));
        return (b.Where(isInside, y, x), b.Where(isInside, logSlope, b.Mul(x, 0)));
    }

    // Lengths that add up to the whole interval, and where each begins.
    private static (Value Lengths, Value Begins) Pieces(GraphBuilder b, Value raw, int bins, double bound)
    {
        var shares = b.Add(b.Mul(b.Softmax(raw), 1 - (SmallestShare * bins)), SmallestShare);
        var lengths = b.Mul(shares, 2 * bound);
        return (lengths, b.Add(b.CumSum(lengths, b.Constant(TensorData.Of([2L], [])), exclusive: true), -bound));
    }
}
