using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>How a network is told the noise level.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Summary">What it is.</param>
/// <param name="Emit">What is told at levels [N] of a schedule.</param>
internal sealed record TimeForm(string Name, string Summary, Func<GraphBuilder, INoiseSchedule, Value, Value> Emit)
{
    /// <summary>Whether only the levels of a table exist.</summary>
    public bool IsWhole => Name == TimeForms.Step;
}

/// <summary>Every form by name: a line a form, in alphabetical order.</summary>
internal static class TimeForms
{
    public const string Step = "step", FractionalStep = "fractional-step";

    public static IReadOnlyList<TimeForm> All { get; } =
    [
        new("c-noise", "ln(sigma)/4, EDM's", static (b, _, sigma) => b.Mul(b.Log(sigma), 0.25)),
        new(FractionalStep, "a table's step as a real number, interpolated over ln(sigma)", static (b, schedule, sigma) => schedule.Time(b, sigma)),
        new("log-half-sigma", "ln(sigma/2), as NVIDIA's networks for VE", static (b, _, sigma) => b.Log(b.Mul(sigma, 0.5))),
        new("log-sigma", "ln(sigma)", static (b, _, sigma) => b.Log(sigma)),
        new("sigma", "sigma", static (_, _, sigma) => sigma),
        new(Step, "the nearest whole step of a table; the noise is of just that level then", static (_, _, _) => throw new InvalidOperationException("A table rounds the level first.")),
        new("t", "the schedule's own time", static (b, schedule, sigma) => schedule.Time(b, sigma)),
    ];

    /// <summary>The form of that name.</summary>
    /// <exception cref="TeacherMismatchException">There is none.</exception>
    public static TimeForm Find(string name) => All.FirstOrDefault(f => f.Name == name) ?? throw new TeacherMismatchException(
        $"--time {name}: not known. Known: {string.Join("; ", All.Select(f => $"{f.Name} = {f.Summary}"))}.");
}
