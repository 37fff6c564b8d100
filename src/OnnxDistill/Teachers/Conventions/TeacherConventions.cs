namespace OnnxDistill.Teachers.Conventions;

/// <summary>Every convention by name: one line a convention, in alphabetical order.</summary>
public static class TeacherConventions
{
    /// <summary>The conventions.</summary>
    public static IReadOnlyList<ITeacherConvention> All { get; } =
    [
        new DenoiserConvention(),
        new FlowConvention(),
    ];

    /// <summary>The convention of that name.</summary>
    /// <exception cref="TeacherMismatchException">There is none.</exception>
    public static ITeacherConvention Find(string name) => All.FirstOrDefault(c => c.Name == name) ?? throw new TeacherMismatchException(
        $"--prediction {name}: not known. Known: {string.Join("; ", All.Select(c => $"{c.Name} ({c.Summary})"))}.");
}
