using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;

namespace OnnxDistill.Methods.Augmentation;

/// <summary>
/// EDM's non-leaking augmentation (Karras et al. 2022, arXiv 2206.00364, appendix F.2; Karras et al. 2020, arXiv 2006.06676, appendix B) as part of a
/// training graph: images are mirrored, scaled, rotated, stretched and moved at random, and the network is told how by nine labels, zeros for an image as
/// it is. Numbers come from host noise, so that an image's augmentation depends on its place in the batch and the update only. Where we differ: an
/// image for which nothing was drawn stays as it is bit for bit, and the border is as wide as any image could need, not as wide as this batch needs;
/// a transformation that is left out keeps its labels, as zeros.
/// </summary>
public static class AugmentPipe
{
    /// <summary>Names of the inputs that the choices come from: uniform and normal numbers.</summary>
    internal const string Choices = "augment_uniform", Sizes = "augment_normal";

    internal const int ChoiceCount = 11, SizeCount = 4;

    /// <summary>Emits the transformation.</summary>
    /// <param name="c">The phase's context.</param>
    /// <param name="images">Images [N, C, H, W]; no gradient flows into them.</param>
    /// <param name="options">What happens how often.</param>
    /// <param name="prefix">Of the names of its random inputs, for a second set of images in the same phase.</param>
    /// <returns>The images and their labels [N, 9], in the order of <see cref="Network.AugmentLabels"/>.</returns>
    /// <exception cref="RecipeException">The samples are no images.</exception>
    public static (Value Images, Value Labels) Apply(LossContext c, Value images, AugmentOptions options, string prefix = "")
    {
        if (images.Shape.Rank != 4)
            throw new RecipeException($"augment: found samples of the shape [{string.Join(", ", c.Task.DataShape)}], expected images [C, H, W]. Set its probability to 0.");
        var b = c.B;
        using var scope = b.Scope("augment");
        var batch = images.Shape[0].Size;
        var uniform = b.Split(c.Uniform(prefix + Choices, batch, ChoiceCount), 1, [.. Enumerable.Repeat(1L, ChoiceCount)]);
        var normal = b.Split(c.Normal(prefix + Sizes, batch, SizeCount), 1, [.. Enumerable.Repeat(1L, SizeCount)]);

        var zero = b.Scalar(0);
        Value Chosen(int draw, double factor) => b.Less(uniform[draw], b.Scalar(Math.Min(1, options.Probability * factor)));
        Value Angle(int draw) => b.Mul(b.Sub(b.Mul(uniform[draw], 2), b.Scalar(1)), Math.PI);
        Value Half(int draw) => b.GreaterOrEqual(uniform[draw], b.Scalar(0.5));

        // Mirrored: exact, so outside the resampling.
        var flipX = b.And(Chosen(1, options.FlipX), Half(0));
        var flipY = b.And(Chosen(3, options.FlipY), Half(2));
        var mirrored = Mirror(b, Mirror(b, b.StopGradient(images), flipX, 3), flipY, 2);

        var (scales, rotates, stretches, moves) = (Chosen(4, options.Scale), Chosen(6, options.Rotate), Chosen(8, options.Stretch), Chosen(10, options.Translate));
        var scale = b.Where(scales, normal[0], zero);
        var rotation = b.Where(rotates, b.Mul(Angle(5), options.LargestRotation), zero);
        var stretch = b.Where(stretches, normal[1], zero);
        var axis = b.Where(b.Less(uniform[9], b.Scalar(options.StretchTurned)), Angle(7), zero);
        var (moveX, moveY) = (b.Where(moves, normal[2], zero), b.Where(moves, normal[3], zero));

        var linear = Linear(b, b.Mul(scale, options.ScaleDeviation), rotation, b.Mul(stretch, options.StretchDeviation), axis);
        var transformed = ImageWarp.Apply(b, mirrored, linear, b.Mul(moveX, images.Shape[3].Size * options.TranslateDeviation), b.Mul(moveY, images.Shape[2].Size * options.TranslateDeviation));
        var any = b.Unsqueeze(b.Or(b.Or(scales, rotates), b.Or(stretches, moves)), 2, 3);
        var labels = b.Concat(1, b.Cast(flipX, ElementType.Float32), b.Cast(flipY, ElementType.Float32), scale, b.Sub(b.Cos(rotation), b.Scalar(1)), b.Sin(rotation),
            b.Mul(stretch, b.Cos(axis)), b.Mul(stretch, b.Sin(axis)), moveX, moveY);
        return (b.StopGradient(b.Where(any, transformed, mirrored)), labels);
    }

    private static Value Mirror(GraphBuilder b, Value images, Value chosen, long axis) =>
        b.Where(b.Unsqueeze(chosen, 2, 3), b.Slice(images, axis, -1, long.MinValue, -1), images);

    // From places of the result to places of the image: R(rotation) R(-axis) diag(1/k, k) R(axis) / 2^scale with k = 2^stretch, all [N, 1].
    private static Value[] Linear(GraphBuilder b, Value scale, Value rotation, Value stretch, Value axis)
    {
        Value PowerOfTwo(Value exponent) => b.Exp(b.Mul(exponent, Math.Log(2)));
        var (k, inverse) = (PowerOfTwo(stretch), PowerOfTwo(b.Neg(stretch)));
        var (cos, sin) = (b.Cos(axis), b.Sin(axis));
        var (cosSquare, sinSquare) = (b.Square(cos), b.Square(sin));
        var mixed = b.Mul(b.Mul(cos, sin), b.Sub(k, inverse));
        var (first, last) = (b.Add(b.Mul(cosSquare, inverse), b.Mul(sinSquare, k)), b.Add(b.Mul(sinSquare, inverse), b.Mul(cosSquare, k)));
        var size = PowerOfTwo(b.Neg(scale));
        var (turnCos, turnSin) = (b.Mul(b.Cos(rotation), size), b.Mul(b.Sin(rotation), size));
        return
        [
            b.Sub(b.Mul(turnCos, first), b.Mul(turnSin, mixed)), b.Sub(b.Mul(turnCos, mixed), b.Mul(turnSin, last)),
            b.Add(b.Mul(turnSin, first), b.Mul(turnCos, mixed)), b.Add(b.Mul(turnSin, mixed), b.Mul(turnCos, last)),
        ];
    }
}
