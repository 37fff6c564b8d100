namespace OnnxDistill.Sampling.Solvers;

/// <summary>The solvers by name: one line a solver, in alphabetical order.</summary>
public static class SolverCatalog
{
    private static readonly ISolver[] All = [new DdimSolver(), new EulerSolver(), new HeunSolver()];

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(s => s.Name)];

    /// <summary>What they are, for help texts.</summary>
    public static string Summary => string.Join("; ", All.Select(s => $"{s.Name} ({s.Summary}; levels {s.UsualLevels})"));

    /// <summary>The solver of that name, or null.</summary>
    internal static ISolver? Find(string name) => Array.Find(All, s => s.Name == name);
}
