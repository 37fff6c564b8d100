using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>Functions that schedules need in float32 where the plain formula cancels, in operators that every device has.</summary>
internal static class FrameMath
{
    private const int Halvings = 3;

    /// <summary>ln(1 + x) for x of 0 or more, exact to the last bits however small x is: w = 1 + x is rounded, and ln(w) x/(w - 1) makes up for
    /// just that (Kahan).</summary>
    public static Value LogOnePlus(this GraphBuilder b, Value x)
    {
        var w = b.Add(x, 1);
        var vanishes = b.Equal(w, b.Scalar(1));
        var excess = b.Where(vanishes, b.Scalar(1), b.Sub(w, b.Scalar(1)));
        return b.Where(vanishes, x, b.Div(b.Mul(b.Log(w), x), excess));
    }

    /// <summary>The arc tangent of x of 0 or more; ONNX Runtime has no CUDA kernel of Atan. The angle is halved three times, atan(x) = 2 atan(x / (1 +
    /// sqrt(1 + x²))), and lies below pi/16 then, where five terms of the series leave an error of 2e-9.</summary>
    public static Value ArcTangent(this GraphBuilder b, Value x)
    {
        for (var i = 0; i < Halvings; i++)
            x = b.Div(x, b.Add(b.Sqrt(b.Add(b.Square(x), 1)), 1));
        var square = b.Square(x);
        var series = b.Scalar(1 / 9.0);
        foreach (var term in new[] { -1 / 7.0, 1 / 5.0, -1 / 3.0, 1 })
            series = b.Add(b.Mul(series, square), term);
        return b.Mul(b.Mul(series, x), 1 << Halvings);
    }

    /// <summary>For each noise level [N] the place, int64 [N], of the nearest one among levels that rise: as many as there are middles of neighbours below it.</summary>
    public static Value PlaceOfNearest(this GraphBuilder b, Value sigma, IReadOnlyList<double> levels) =>
        b.CountBelow(sigma, [.. levels.Zip(levels.Skip(1), static (low, high) => (low + high) / 2)]);

    /// <summary>How many of the bounds lie below each number [N], int64 [N].</summary>
    public static Value CountBelow(this GraphBuilder b, Value numbers, double[] bounds) => b.Count(numbers, bounds, b.Greater);

    /// <summary>How many of the bounds lie at or below each number [N], int64 [N]: the stretch between bounds that it lies in, where a stretch begins at its bound.</summary>
    public static Value CountReached(this GraphBuilder b, Value numbers, double[] bounds) => b.Count(numbers, bounds, b.GreaterOrEqual);

    private static Value Count(this GraphBuilder b, Value numbers, double[] bounds, Func<Value, Value, Value> passes)
    {
        if (bounds.Length == 0)
            return b.Cast(b.Mul(numbers, 0), ElementType.Int64);
        var passed = passes(b.Unsqueeze(numbers, 1), b.Unsqueeze(b.Row(bounds), 0));
        return b.Cast(b.ReduceSum(b.Cast(passed, ElementType.Float32), [1], keepDims: false), ElementType.Int64);
    }

    /// <summary>A constant vector.</summary>
    public static Value Row(this GraphBuilder b, IReadOnlyList<double> values) => b.Constant(TensorData.Of([.. values.Select(static v => (float)v)], values.Count));

    /// <summary>1 / sqrt(1 + sigma²): what keeps the variance of unit data.</summary>
    public static Value VariancePreserving(this GraphBuilder b, Value sigma) => b.Reciprocal(b.Sqrt(b.Add(b.Square(sigma), 1)));
}
