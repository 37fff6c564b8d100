using static OnnxDistill.Tests.Gradients.Arg;

namespace OnnxDistill.Tests.Gradients.Cases;

/// <summary>Elements taken from, and put to, places given by indices.</summary>
internal static class IndexingCases
{
    public static IReadOnlyList<GradientCase> All { get; } =
    [
        new("Gather", "first axis, one taken twice", [Normal(4, 3), LongsOf([2, 2], 0, 3, 3, -4)]),
        new("Gather", "middle axis", [Normal(2, 4, 3), Longs(1, 3, 1)], ("axis", 1)),
        new("Gather", "scalar index", [Normal(2, 4, 3), LongsOf([], -1)], ("axis", 1)),
        new("Gather", "indices that are fed", [Normal(4, 3), Longs(2, 0, 2).Fed()]),
        new("GatherND", "tuples", [Normal(2, 3, 4), LongsOf([3, 2], 0, 1, 1, 2, 0, 1)]),
        new("ScatterND", "put", [Normal(4, 3), LongsOf([2, 1], 2, 0), Normal(2, 3)]),
        new("ScatterND", "added, one place twice", [Normal(4, 3), LongsOf([3, 1], 2, 0, 2), Normal(3, 3)], ("reduction", "add")),
    ];
}
