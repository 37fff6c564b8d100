using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Building.Resampling;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Resampling that opset 18 lacks, in operators that it has.</summary>
internal static class ResamplingConversions
{
    /// <summary>AffineGrid (opset 20): the corners of the output, from -1 to 1, under each sample's affine map.</summary>
    public static void AffineGrid(NodeRewriter r)
    {
        if (NodeRewriter.ConstantOf(r.Node.OptionalInput(1))?.ToLongs() is not { Length: 4 or 5 } size)
            r.Refuse("its size is not a constant of 4 or 5 numbers");
        else if (r.X.KnownShape is not { Rank: 3, IsStatic: true })
            r.Refuse("the shape of its maps is not known; normalise the model first");
        else
            r.Lower(g => AffineGrid(g, r.X, size, r.Node.Attributes.Int("align_corners", 0) == 1));
    }

    /// <summary>GridSample from 20 on names its modes otherwise and also takes volumes.</summary>
    public static void GridSample(NodeRewriter r)
    {
        var mode = r.Node.Attributes.Text("mode", "linear");
        if (r.X.KnownShape is null or { Rank: 4 })
            r.Replace(r.Node.OpType, r.Node.Inputs, r.Node.Attributes.With("mode", mode switch { "linear" => "bilinear", "cubic" => "bicubic", _ => mode }));
        else if (r.X.KnownShape is not { IsStatic: true } || r.Node.Input(1).KnownShape is not { IsStatic: true })
            r.Refuse($"it samples an input of shape {r.X.KnownShape}, which can be written in simpler operators only where every extent is known");
        else
            r.Lower(g => new GridTaps(g, r.Node).Sample());
    }

    /// <summary>Resize with a coordinate transformation of its own: half_pixel_symmetric came with 19, tf_half_pixel_for_nn went with 13. Each axis is
    /// a matrix product, or a choice of elements where it takes the nearest.</summary>
    public static void Resize(NodeRewriter r)
    {
        var (axes, refusal) = ResizeAxis.Of(r.Node, NodeRewriter.ConstantOf);
        var interpolation = Interpolation.Of(r.Node);
        if (r.Node.Attributes.Int("antialias", 0) != 0)
            refusal = "antialias is not supported";
        if (refusal is not null)
            r.Refuse($"opset {OnnxModel.InnerOpset} lacks its coordinate transformation {interpolation.Coordinates}, and {refusal}");
        else if (axes.Count == 0)
            r.Replace("Identity", [r.X]);
        else
            r.Lower(g => axes.Aggregate(r.X, (x, axis) => interpolation.Mode == "nearest" ? g.Gather(x, g.Longs(interpolation.Sources(axis)), axis.Axis)
                : AxisProduct.Apply(g, x, axis.Axis, g.Constant(interpolation.Matrix(axis, r.Type)), transposed: false)));
    }

    private static Value AffineGrid(GraphBuilder g, Value theta, long[] size, bool alignCorners)
    {
        var extents = size[2..];
        var (axes, points) = (extents.Length, extents.Aggregate(1L, static (n, d) => n * d));
        var places = new float[points * (axes + 1)];
        for (var point = 0L; point < points; point++)
        {
            var rest = point;
            for (var axis = axes - 1; axis >= 0; axis--)
            {
                (rest, var at) = Math.DivRem(rest, extents[axis]);
                // The last axis comes first in a grid.
                places[(point * (axes + 1)) + axes - 1 - axis] = alignCorners
                    ? (float)(extents[axis] == 1 ? -1 : (2.0 * at / (extents[axis] - 1)) - 1)
                    : (float)((((2.0 * at) + 1) / extents[axis]) - 1);
            }
            places[(point * (axes + 1)) + axes] = 1;
        }
        var places2 = g.Constant(TensorData.Of(places, points, axes + 1));
        var grid = g.MatMul(theta.Type == ElementType.Float64 ? g.Cast(places2, theta.Type) : places2, g.TransposeLast(theta));
        return g.Reshape(grid, Shape.Of([size[0], .. extents, axes]));
    }
}
