using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Elements taken from, and put to, places given by indices.</summary>
internal static class IndexingCases
{
    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("Compress", "slices, condition shorter than the axis", [Normal(2, 4, 3), Bools([3], true, false, true)], ("axis", 1)),
        new("Compress", "flattened", [Normal(2, 3), Bools([6], false, true, true, false, false, true)]),
        new("Compress", "one slice, negative axis", [Normal(2, 3), Bools([3], false, false, true)], ("axis", -1)),
        new("CumSum", "plain", [Normal(3, 4), LongsOf([], 1)]),
        new("CumSum", "exclusive", [Normal(3, 4), LongsOf([], 0)], ("exclusive", 1)),
        new("CumSum", "reverse, negative axis", [Normal(2, 3, 4), LongsOf([], -2)], ("reverse", 1)),
        new("CumSum", "exclusive and reverse", [Normal(5), LongsOf([], 0)], ("exclusive", 1), ("reverse", 1)),
        new("Gather", "first axis, one taken twice", [Normal(4, 3), LongsOf([2, 2], 0, 3, 3, -4)]),
        new("Gather", "middle axis", [Normal(2, 4, 3), Longs(1, 3, 1)], ("axis", 1)),
        new("Gather", "scalar index", [Normal(2, 4, 3), LongsOf([], -1)], ("axis", 1)),
        new("Gather", "one index of rank 2", [Normal(2, 4, 3), LongsOf([1, 1], -2)], ("axis", 2)),
        new("Gather", "indices of rank 3, last axis", [Normal(2, 5), LongsOf([2, 1, 3], 0, -1, 2, 4, 4, 1)], ("axis", -1)),
        new("Gather", "indices that are fed", [Normal(4, 3), Longs(2, 0, 2).Fed()]),
        new("Gather", "negative indices that are fed, middle axis", [Normal(2, 4, 3), LongsOf([2, 2], -1, 0, -4, 3).Fed()], ("axis", 1)),
        new("Gather", "scalar index that is fed", [Normal(2, 4, 3), LongsOf([], -3).Fed()], ("axis", 1)),
        new("Gather", "indices of 32 bits", [Normal(4, 3), Longs(3, -1, 0).Fed() with { Type = Graph.Model.ElementType.Int32 }]),
        new("GatherElements", "first axis, fewer rows", [Normal(3, 3), LongsOf([2, 3], 1, 2, 0, 2, 0, 0)]),
        new("GatherElements", "last axis, negative, one taken twice", [Normal(2, 4), LongsOf([2, 3], 0, -1, 3, 1, 1, -4)], ("axis", -1)),
        new("GatherElements", "fed", [Normal(2, 3, 2), LongsOf([2, 2, 2], 0, 2, 1, 1, -1, 0, 2, 2).Fed()], ("axis", 1)),
        new("GatherND", "tuples", [Normal(2, 3, 4), LongsOf([3, 2], 0, 1, 1, 2, 0, 1)]),
        new("GatherND", "whole tuples, negative, fed", [Normal(2, 3), LongsOf([2, 2, 2], 0, -1, 1, 0, -1, 1, 0, 2).Fed()]),
        new("GatherND", "one batch axis", [Normal(2, 3, 4), LongsOf([2, 1], 1, -1)], ("batch_dims", 1)),
        new("GatherND", "one batch axis, several tuples", [Normal(2, 3, 4), LongsOf([2, 3, 1], 1, 0, 1, 2, 2, -3).Fed()], ("batch_dims", 1)),
        new("GatherND", "two batch axes", [Normal(2, 3, 4, 2), LongsOf([2, 3, 1], 1, 0, 3, 2, 2, 0)], ("batch_dims", 2)),
        new("MaxUnpool", "flat places", [Normal(1, 1, 2, 2), LongsOf([1, 1, 2, 2], 5, 7, 13, 15)], ("kernel_shape", new[] { 2, 2 }), ("strides", new[] { 2, 2 })),
        new("OneHot", "both values", [LongsOf([3], 0, 2, -1), LongsOf([], 4), Normal(2)]),
        new("OneHot", "new axis in front, one index outside, fed", [LongsOf([2, 2], 0, 5, 1, 2).Fed(), Longs(3), Normal(2)], ("axis", 0)),
        new("ReverseSequence", "time first", [Normal(4, 3, 2), Longs(4, 1, 3)], ("time_axis", 0), ("batch_axis", 1)),
        new("ReverseSequence", "batch first, fed", [Normal(2, 4), Longs(3, 2).Fed()], ("time_axis", 1), ("batch_axis", 0)),
        new("Scatter", "by the converter", [Normal(3, 3), LongsOf([2, 3], 1, 0, 2, 0, 2, 1), Normal(2, 3)]) { Opset = 10 },
        new("ScatterElements", "put", [Normal(3, 4), LongsOf([2, 2], 1, 0, 2, 2), Normal(2, 2)]),
        new("ScatterElements", "put, last axis, negative", [Normal(2, 5), LongsOf([2, 2], 1, -1, 0, -3), Normal(2, 2)], ("axis", -1)),
        new("ScatterElements", "added, one place twice", [Normal(1, 5), LongsOf([1, 3], 1, 1, -2), Normal(1, 3)], ("axis", 1), ("reduction", "add")),
        new("ScatterElements", "multiplied, one place twice", [Normal(1, 5), LongsOf([1, 3], 1, 1, 3), Normal(1, 3)], ("axis", 1), ("reduction", "mul")),
        new("ScatterElements", "largest, one place twice", [Distinct(1, 5), LongsOf([1, 3], 1, 1, 3), Of([1, 3], 0.9, 0.1, 1.3)], ("axis", 1), ("reduction", "max")),
        new("ScatterElements", "smallest, fed", [Distinct(4, 2), LongsOf([3, 2], 0, 1, 0, 3, -1, 1).Fed(), Normal(3, 2)], ("reduction", "min")),
        new("ScatterND", "put", [Normal(4, 3), LongsOf([2, 1], 2, 0), Normal(2, 3)]),
        new("ScatterND", "put, whole tuples, negative", [Normal(3, 3), LongsOf([2, 2], -1, 0, 1, -2), Normal(2)]),
        new("ScatterND", "added, one place twice", [Normal(4, 3), LongsOf([3, 1], 2, 0, 2), Normal(3, 3)], ("reduction", "add")),
        new("ScatterND", "multiplied, one place twice", [Normal(4, 3), LongsOf([3, 1], 2, 0, 2), Normal(3, 3)], ("reduction", "mul")),
        new("ScatterND", "multiplied, a factor 0", [Normal(4), LongsOf([3, 1], 2, 0, 2), Of([3], 0, 2, 1.5)], ("reduction", "mul"))
            { FirstOrderOnly = "the factor 0 is left out of the quotient, so mixed second derivatives at it are lost" },
        new("ScatterND", "largest", [Distinct(4, 3), LongsOf([3, 1], 2, 0, 2), Normal(3, 3)], ("reduction", "max")),
        new("ScatterND", "smallest, fed", [Distinct(2, 4), LongsOf([2, 2], 1, 1, 0, -1).Fed(), Normal(2)], ("reduction", "min")),
        new("TopK", "largest, last axis", [Distinct(3, 5), Longs(2)]) { Outputs = 2 },
        new("TopK", "smallest, first axis", [Distinct(4, 3), Longs(3)], ("axis", 0), ("largest", 0)) { Outputs = 2 },
        new("TopK", "unsorted, middle axis", [Distinct(2, 4, 2), Longs(2)], ("axis", -2), ("sorted", 0)) { Outputs = 2 },
        new("Trilu", "upper", [Normal(3, 4)]),
        new("Trilu", "lower, shifted, batch", [Normal(2, 4, 3), LongsOf([], -1)], ("upper", 0)),
        new("Trilu", "upper, shifted", [Normal(4, 4), LongsOf([], 2)], ("upper", 1)),
    ];
}
