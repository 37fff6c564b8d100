using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Methods.Augmentation;

/// <summary>
/// Images under affine maps of the plane, as EDM and StyleGAN2-ADA resample them (Karras et al. 2020, arXiv 2006.06676, appendix B.2): reflected at
/// the borders, brought to twice the resolution with the wavelet sym6, sampled there bilinearly, and brought back with the same wavelet.
/// </summary>
internal static class ImageWarp
{
    /// <summary>Low-pass filter of the least asymmetric orthonormal wavelet with six vanishing moments (Daubechies, Ten Lectures on Wavelets, 1992, table 6.3).</summary>
    internal static readonly double[] Sym6 =
    [
        0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633, 0.4910559419267466, 0.787641141030194,
        0.3379294217276218, -0.07263752278646252, -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148,
    ];

    // Places of the result beyond each border that the filter reaches on the way back; and the filter's own margin on both ways.
    private const int Margin = 3, Pad = 5;

    /// <summary>The images whose place p (pixels from the middle) shows the place M (p - move) of the given ones.</summary>
    /// <param name="b">Receives the nodes.</param>
    /// <param name="images">Images [N, C, H, W].</param>
    /// <param name="linear">M by rows, four values [N, 1].</param>
    /// <param name="moveX">Pixels to the right, [N, 1].</param>
    /// <param name="moveY">Pixels down, [N, 1].</param>
    public static Value Apply(GraphBuilder b, Value images, Value[] linear, Value moveX, Value moveY)
    {
        using var scope = b.Scope("warp");
        var (batch, height, width) = (images.Shape[0], images.Shape[2].Size, images.Shape[3].Size);
        // Reflection cannot reach further than this; beyond it there is black, as in the original.
        var wide = Reflected(b, images, height - 1, width - 1);
        var fine = Resample(b, Resample(b, wide, 3, up: true), 2, up: true);
        var grid = b.Reshape(b.MatMul(Places(b, height, width), Map(b, linear, moveX, moveY, fine.Shape)), Shape.Of(batch, Fine(height), Fine(width), 2));
        var sampled = b.Emit("GridSample", [fine, grid], images.Type, Shape.Of(batch, images.Shape[1], Fine(height), Fine(width)),
            ("mode", "bilinear"), ("padding_mode", "zeros"), ("align_corners", 0L));
        return Resample(b, Resample(b, sampled, 3, up: false), 2, up: false);
    }

    private static long Fine(long extent) => 2 * (extent + (2 * Margin));

    private static Value Reflected(GraphBuilder b, Value x, long rows, long columns)
    {
        var shape = x.Shape;
        return b.Emit("Pad", [x, b.Longs(0, 0, rows, columns, 0, 0, rows, columns)], x.Type,
            Shape.Of(shape[0], shape[1], shape[2].Size + (2 * rows), shape[3].Size + (2 * columns)), ("mode", "reflect"));
    }

    // The result's places, as the wavelet leaves them, in pixels from the middle: [H' W', 3], rows (x, y, 1). A sample of the fine image lies a quarter of a
    // pixel before the middle of the two that it makes up with the next.
    private static Value Places(GraphBuilder b, long height, long width)
    {
        static float Place(long index, long count) => (float)((index - ((count - 1) / 2.0) + 0.5) / 2);
        var (rows, columns) = (Fine(height), Fine(width));
        var places = new float[rows * columns * 3];
        for (var i = 0; i < rows * columns; i++)
            (places[3 * i], places[(3 * i) + 1], places[(3 * i) + 2]) = (Place(i % columns, columns), Place(i / columns, rows), 1);
        return b.Constant(TensorData.Of(places, rows * columns, 3));
    }

    // From (x, y, 1) in pixels of the result to GridSample's coordinates, -1 to 1 over the fine image: [N, 3, 2].
    private static Value Map(GraphBuilder b, Value[] m, Value moveX, Value moveY, Shape fine)
    {
        // Pixels to the fine image's samples and their shift, then to its halves.
        Value Coordinate(Value value, long extent) => b.Mul(value, 4.0 / extent);
        Value Offset(Value byX, Value byY, long extent) =>
            b.Mul(b.Add(b.Mul(b.Add(b.Mul(byX, moveX), b.Mul(byY, moveY)), -2), -0.5), 2.0 / extent);
        var (height, width) = (fine[2].Size, fine[3].Size);
        var rows = b.Concat(1, Coordinate(m[0], width), Coordinate(m[2], height), Coordinate(m[1], width), Coordinate(m[3], height),
            Offset(m[0], m[1], width), Offset(m[2], m[3], height));
        return b.Reshape(rows, Shape.Of(m[0].Shape[0], 3, 2));
    }

    // Twice the samples along an axis, or half of them without the margin that the filter has spoilt.
    private static Value Resample(GraphBuilder b, Value x, int axis, bool up)
    {
        var channels = x.Shape[1].Size;
        long[] kernel = axis == 2 ? [channels, 1, Sym6.Length, 1] : [channels, 1, 1, Sym6.Length];
        var filter = Array.ConvertAll(Sym6, h => (float)h);
        var weight = b.Constant(TensorData.Of([.. Enumerable.Repeat(filter, (int)channels).SelectMany(f => f)], kernel));
        var options = new ConvOptions { Strides = axis == 2 ? [2, 1] : [1, 2], Pads = axis == 2 ? [Pad, 0, Pad, 0] : [0, Pad, 0, Pad], Group = channels };
        if (up)
            return b.ConvTranspose(x, weight, options, [0, 0]);
        var half = b.Conv(x, weight, null, options);
        return b.Slice(half, axis, Margin, half.Shape[axis].Size - Margin);
    }
}
