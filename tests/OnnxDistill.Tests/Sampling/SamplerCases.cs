using OnnxDistill.Teachers;

namespace OnnxDistill.Tests.Sampling;

/// <summary>A solver.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Order">Power of the step that its error falls with.</param>
internal sealed record SolverCase(string Name, int Order)
{
    public override string ToString() => Name;
}

/// <summary>A grid of levels.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Card">A teacher's card.</param>
/// <param name="Steps">Number of steps.</param>
/// <param name="Levels">What they are, without the 0 at the end.</param>
internal sealed record LevelCase(string Name, TeacherCard Card, int Steps, double[] Levels)
{
    public override string ToString() => $"{Name} {Card.Prediction} {Card.Schedule} {Card.Range} {Card.SigmaData}";
}

/// <summary>A row a solver, a row or more a grid.</summary>
internal static class SamplerCases
{
    public static readonly SolverCase[] Solvers = [new("ddim", 1), new("euler", 1), new("heun", 2)];

    public static readonly LevelCase[] Levels =
    [
        // 1 - (product of 1 - beta) over that product, to the power 1/2, by a loop in another language.
        new("ddpm", new TeacherCard { Prediction = "eps", Schedule = "ddpm", SigmaMax = 1000 }, 4, [157.40728081, 17.24698301, 3.42413662, 0.952935500]),
        new("ddpm", new TeacherCard { SigmaData = 5, SigmaMax = 10_000 }, 1, [1574.0728081]),
        // t = 1, 3/4, 1/2, 1/4.
        new("flow", new TeacherCard { Prediction = "flow" }, 4, [1 << 24, 3, 1, 1.0 / 3]),
        // A network of images in [0, 1], half as wide as the teacher's.
        new("flow", new TeacherCard { Schedule = "flow", Range = "0..1" }, 4, [1 << 25, 6, 2, 2.0 / 3]),
        new("flow", new TeacherCard { SigmaMax = 4 }, 2, [4, 0.4 / 0.6]),
        new("flow", new TeacherCard { SigmaData = 5, SigmaMax = 40 }, 2, [40, 10 * 0.4 / 0.6]),
        new("karras", new TeacherCard(), 3, [80, Math.Pow((Math.Pow(80, 1 / 7.0) + Math.Pow(0.002, 1 / 7.0)) / 2, 7), 0.002]),
        new("karras", new TeacherCard { SigmaMax = 7 }, 1, [7]),
    ];
}
