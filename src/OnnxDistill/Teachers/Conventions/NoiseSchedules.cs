using System.Globalization;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>A schedule as the command line names it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Summary">What it is.</param>
/// <param name="Time">How networks of it are usually told the time, see <see cref="TimeForms"/>; empty: a step, whole or not as the network's input is.</param>
/// <param name="TimeScale">What that is usually multiplied with.</param>
/// <param name="Parameters">What follows the name, with its usual values.</param>
/// <param name="Create">Makes it of those values and the network's sigma_data.</param>
internal sealed record ScheduleKind(string Name, string Summary, string Time, double TimeScale, IReadOnlyList<(string Name, double Usual)> Parameters,
    Func<double[], double, INoiseSchedule> Create);

/// <summary>Every schedule by name: a line a schedule, in alphabetical order.</summary>
internal static class NoiseSchedules
{
    private const string File = "table";

    private static readonly (string, double)[] Betas = [("beta_min", 0.1), ("beta_d", 19.9)];
    private static readonly (string, double)[] Steps = [("steps", 1000)];

    // score_sde's and EDM's networks of the VP family are told 999 t.
    private const double LastStep = 999;

    public static IReadOnlyList<ScheduleKind> All { get; } =
    [
        new("cosine", "DDPM's steps with Nichol and Dhariwal's cosine (diffusers: squaredcos_cap_v2)", "", 1, Steps, static (p, _) => DiscreteTables.Cosine((int)p[0])),
        new("ddpm", "DDPM's steps with beta from 1e-4 to 0.02 (diffusers: linear)", "", 1, [.. Steps, ("beta_start", 1e-4), ("beta_end", 0.02)],
            static (p, _) => DiscreteTables.Linear((int)p[0], p[1], p[2])),
        new("edm", "x0 + sigma noise, sigma from 0.002 to 80 where sigma_data = 0.5", "sigma", 1, [("sigma_min", 0.002), ("sigma_max", 80)],
            static (p, sigmaData) => new UnscaledSchedule(p[0] * sigmaData / 0.5, p[1] * sigmaData / 0.5)),
        new("flow", "(1 - t) x0 + t noise", "t", 1, [], static (_, _) => new FlowSchedule(reversed: false)),
        new("iddpm", "improved DDPM's steps as EDM writes them", "", 1, Steps, static (p, _) => DiscreteTables.ImprovedDdpm((int)p[0])),
        new("reversed-flow", "t x0 + (1 - t) noise", "t", 1, [], static (_, _) => new FlowSchedule(reversed: true)),
        new("scaled-linear", "Stable Diffusion's steps, sqrt(beta) linear", "", 1, [.. Steps, ("beta_start", 0.00085), ("beta_end", 0.012)],
            static (p, _) => DiscreteTables.ScaledLinear((int)p[0], p[1], p[2])),
        new("sub-vp", "score_sde's sub-VP SDE, time told as 999 t", "t", LastStep, Betas, static (p, _) => new SubVpSchedule(p[0], p[1])),
        new("ve", "x0 + sigma noise, sigma from 0.02 to 100", "sigma", 1, [("sigma_min", 0.02), ("sigma_max", 100)], static (p, _) => new UnscaledSchedule(p[0], p[1])),
        new("vp", "score_sde's VP SDE, time told as 999 t", "t", LastStep, Betas, static (p, _) => new VpSchedule(p[0], p[1])),
        new("vp-cosine", "the cosine in continuous time", "t", 1, [("offset", 0.008)], static (p, _) => new VpCosineSchedule(p[0])),
    ];

    /// <summary>What a user's own table is called, <c>table:FILE</c>.</summary>
    public const string TableSummary = "table:FILE = your own: .csv (alpha, sigma or alphas_cumprod; t) or .npy ([M] alphas_cumprod, [M, 2] alpha, sigma)";

    /// <summary>The schedule of a text such as <c>vp</c>, <c>ddpm:steps=4000,beta_end=0.01</c> or <c>table:levels.csv</c>.</summary>
    /// <exception cref="TeacherMismatchException">It names none, or a parameter that it has not.</exception>
    public static (ScheduleKind Kind, INoiseSchedule Schedule) Parse(string text, double sigmaData)
    {
        var (name, rest) = text.Split(':', 2) is [var head, var tail] ? (head, tail) : (text, "");
        if (name == File && rest.Length > 0)
            return (new ScheduleKind(File, TableSummary, "", 1, [], static (_, _) => throw new InvalidOperationException()), TableFile.Read(rest));
        var kind = All.FirstOrDefault(s => s.Name == name) ?? throw new TeacherMismatchException(
            $"--schedule {text}: not known. Known: {string.Join("; ", All.Select(s => $"{s.Name} = {s.Summary}"))}; {TableSummary}.");
        var values = kind.Parameters.Select(static p => p.Usual).ToArray();
        foreach (var setting in rest.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = setting.Split('=');
            var place = kind.Parameters.Select(static p => p.Name).ToList().IndexOf(parts[0]);
            if (place < 0 || parts.Length != 2 || !double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out values[place]) || !(values[place] > 0))
            {
                throw new TeacherMismatchException($"--schedule {text}: '{setting}' is not understood; {name} takes " + (kind.Parameters.Count == 0 ? "no parameters."
                    : $"{string.Join(", ", kind.Parameters.Select(static p => FormattableString.Invariant($"{p.Name}={p.Usual}")))}, each above 0."));
            }
        }
        return (kind, kind.Create(values, sigmaData));
    }
}
