using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Building.Resampling;

/// <summary>How a Resize node takes output elements from input elements along an axis: a matrix, as the node is linear (apart from what
/// tf_crop_and_resize puts outside the image). Coordinates are computed in float32 as ONNX Runtime does, so that a coordinate half-way between two
/// elements falls to the same side.</summary>
/// <param name="Mode">nearest, linear or cubic.</param>
/// <param name="Coordinates">The coordinate transformation.</param>
/// <param name="Nearest">How nearest rounds.</param>
/// <param name="CubicCoefficient">The coefficient a of Keys' cubic convolution.</param>
/// <param name="ExcludesOutside">Whether cubic drops elements outside the image instead of repeating the border.</param>
internal sealed record Interpolation(string Mode, string Coordinates, string Nearest, float CubicCoefficient, bool ExcludesOutside)
{
    /// <summary>The settings of a Resize node.</summary>
    public static Interpolation Of(Node node) => new(node.Attributes.Text("mode", "nearest"),
        node.Attributes.Text("coordinate_transformation_mode", "half_pixel"), node.Attributes.Text("nearest_mode", "round_prefer_floor"),
        node.Attributes.Float("cubic_coeff_a", -0.75f), node.Attributes.Int("exclude_outside", 0) == 1);

    /// <summary>The matrix [output, input] of an axis; rows outside the image are 0.</summary>
    public TensorData Matrix(ResizeAxis axis, ElementType type)
    {
        var matrix = new double[axis.Output * axis.Input];
        for (var row = 0L; row < axis.Output; row++)
        {
            foreach (var (column, weight) in Taps(axis, row))
                matrix[(row * axis.Input) + column] += weight;
        }
        return type == ElementType.Float64 ? TensorData.Of(matrix, axis.Output, axis.Input)
            : TensorData.Of(Array.ConvertAll(matrix, static w => (float)w), axis.Output, axis.Input);
    }

    /// <summary>For each output element of nearest which input element it is, -1 outside the image.</summary>
    public long[] Sources(ResizeAxis axis) => [.. Enumerable.Range(0, (int)axis.Output).Select(row => Taps(axis, row) is [var (column, _)] ? column : -1)];

    private List<(long Column, double Weight)> Taps(ResizeAxis axis, long row)
    {
        var at = Coordinate(axis, row);
        var last = axis.Input - 1;
        if (Coordinates == "tf_crop_and_resize" && (at < 0 || at > last))
            return [];
        if (Mode == "nearest")
            return [(Math.Clamp(Rounded(at), 0, last), 1)];
        if (Mode == "linear")
        {
            var inside = Math.Clamp(at, 0, last);
            var left = Math.Min((long)inside, last);
            double share = inside - left;
            return [(left, 1 - share), (Math.Min(left + 1, last), share)];
        }
        var floor = (long)MathF.Floor(at);
        var weights = CubicWeights(at - floor);
        var taps = Enumerable.Range(0, 4).Select(i => (Column: floor - 1 + i, Weight: weights[i])).ToList();
        if (!ExcludesOutside)
            return taps.ConvertAll(t => (Math.Clamp(t.Column, 0, last), t.Weight));
        taps.RemoveAll(t => t.Column < 0 || t.Column > last);
        var sum = taps.Sum(static t => t.Weight);
        return taps.ConvertAll(t => (t.Column, t.Weight / sum));
    }

    private float Coordinate(ResizeAxis axis, float row)
    {
        var (scale, input, output) = (axis.Scale, (float)axis.Input, (float)axis.Output);
        return Coordinates switch
        {
            "asymmetric" => row / scale,
            "pytorch_half_pixel" => output > 1 ? ((row + 0.5f) / scale) - 0.5f : 0,
            "align_corners" => output == 1 ? 0 : row * (input - 1) / (output - 1),
            "tf_crop_and_resize" => output > 1
                ? (axis.RoiStart * (input - 1)) + (row * (axis.RoiEnd - axis.RoiStart) * (input - 1) / (output - 1))
                : (float)(0.5 * (axis.RoiStart + axis.RoiEnd) * (input - 1)),
            "tf_half_pixel_for_nn" => (row + 0.5f) / scale,
            "half_pixel_symmetric" => (float)((input / 2 * (1 - (output / (scale * input)))) + ((row + 0.5) / scale) - 0.5),
            _ => ((row + 0.5f) / scale) - 0.5f,
        };
    }

    // As ONNX Runtime 1.31.1 has it, a coordinate within 1e-6 of half-way is half-way.
    private long Rounded(float at)
    {
        var floor = MathF.Floor(at);
        var isHalfWay = MathF.Abs(at - floor - 0.5f) <= 1e-6f;
        return (long)(Nearest switch
        {
            "floor" => floor,
            "ceil" => MathF.Ceiling(at),
            "round_prefer_ceil" when isHalfWay => floor + 1,
            "round_prefer_floor" when isHalfWay => floor,
            _ => MathF.Round(at, MidpointRounding.AwayFromZero),
        });
    }

    // Keys' cubic convolution at distances 1 + s, s, 1 - s, 2 - s.
    private double[] CubicWeights(double s)
    {
        double a = CubicCoefficient;
        return [Outer(1 + s), Inner(s), Inner(1 - s), Outer(2 - s)];

        double Inner(double d) => ((((a + 2) * d) - (a + 3)) * d * d) + 1;

        double Outer(double d) => (((((a * d) - (5 * a)) * d) + (8 * a)) * d) - (4 * a);
    }
}
