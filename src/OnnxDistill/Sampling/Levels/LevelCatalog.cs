namespace OnnxDistill.Sampling.Levels;

/// <summary>The grids of noise levels by name: one line a grid, in alphabetical order.</summary>
public static class LevelCatalog
{
    private static readonly ILevelGrid[] All = [new DdpmLevels(), new FlowLevels(), new KarrasLevels()];

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(g => g.Name)];

    /// <summary>What they are, for help texts.</summary>
    public static string Summary => string.Join("; ", All.Select(g => $"{g.Name} ({g.Summary})"));

    /// <summary>The grid of that name, or null.</summary>
    internal static ILevelGrid? Find(string name) => Array.Find(All, g => g.Name == name);
}
