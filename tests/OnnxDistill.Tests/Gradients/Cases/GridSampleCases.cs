using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Sampling at places that a grid tells, some of them outside the image.</summary>
internal static class GridSampleCases
{
    private static readonly (int Opset, string Linear, string Cubic)[] Names = [(18, "bilinear", "bicubic"), (20, "linear", "cubic")];

    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("AffineGrid", "plane", [Normal(2, 2, 3), Longs(2, 3, 3, 4)]) { Opset = 20 },
        new("AffineGrid", "plane, corners aligned", [Normal(2, 2, 3), Longs(2, 3, 2, 3)], ("align_corners", 1)) { Opset = 20 },
        new("AffineGrid", "volume", [Normal(1, 3, 4), Longs(1, 2, 2, 3, 2)]) { Opset = 20 },
        .. from names in Names
           from mode in new[] { "nearest", names.Linear, names.Cubic }
           from padding in new[] { "zeros", "border", "reflection" }
           from aligned in new[] { 0, 1 }
           select new GradientCase("GridSample", $"{mode}, {padding}{(aligned == 1 ? ", corners aligned" : "")}",
               [Normal(2, 3, 4, 5), Places([2, 3, 2], [4, 5], aligned == 1, mode == "nearest")],
               ("mode", mode), ("padding_mode", padding), ("align_corners", aligned)) { Opset = names.Opset },
        .. from mode in new[] { "nearest", "linear" }
           from padding in new[] { "zeros", "border", "reflection" }
           select new GradientCase("GridSample", $"volume, {mode}, {padding}",
               [Normal(1, 2, 3, 4, 3), Places([1, 2, 2, 2], [3, 4, 3], false, mode == "nearest")], ("mode", mode), ("padding_mode", padding)) { Opset = 20 },
        new("GridSample", "defaults, one channel", [Normal(1, 1, 3, 3), Places([1, 2, 2], [3, 3], false, false)]),
        new("GridSample", "one element", [Normal(1, 2, 1, 1), Places([1, 2, 2], [1, 1], false, false)], ("padding_mode", "zeros")),
    ];

    // From two elements before the image to two behind it, at least 0.2 of an element from where the interpolation has a kink (nearest: a jump).
    private static Arg Places(long[] points, long[] extents, bool aligned, bool nearest)
    {
        var random = new Random(11);
        var numbers = new List<double>();
        for (var point = 0L; point < points.Aggregate(1L, static (n, d) => n * d); point++)
        {
            foreach (var extent in extents.Reverse())
            {
                var place = random.Next(-2, (int)extent + 1) + (nearest ? 0 : 0.5) + (0.6 * (random.NextDouble() - 0.5));
                numbers.Add(aligned ? (2 * place / (extent - 1)) - 1 : (((2 * place) + 1) / extent) - 1);
            }
        }
        return Of([.. points, extents.Length], [.. numbers]);
    }
}
