using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers.Importing;

namespace OnnxDistill.Teachers;

/// <summary>What a raw network seems to be, by names and types alone. Only import's check tells.</summary>
/// <param name="Roles">Its inputs and its output.</param>
/// <param name="Arguments">Options of import that its form suggests.</param>
/// <param name="Reasons">Why, a line each.</param>
public sealed record ConventionGuess(InputRoles Roles, string Arguments, IReadOnlyList<string> Reasons)
{
    private static readonly (string Part, string Prediction)[] OutputNames = [("eps", "eps"), ("noise", "eps"), ("veloc", "flow"), ("flow", "flow"), ("score", "score"), ("denois", "denoiser"), ("x0", "x0"), ("sample", "eps")];

    /// <summary>Guesses.</summary>
    public static ConventionGuess Of(OnnxGraph graph)
    {
        var roles = InputRoles.Guess(graph);
        var (reasons, arguments) = (new List<string>(), new List<string>());
        void Say(string argument, string why)
        {
            arguments.Add(argument);
            reasons.Add($"{argument}: {why}");
        }
        var prediction = OutputNames.FirstOrDefault(o => roles.Output?.Name.Contains(o.Part, StringComparison.OrdinalIgnoreCase) == true).Prediction
            ?? (roles.Output?.Name is "v" ? "flow" : null);
        var whole = roles.Time is { } time && TimeInput.IsWhole(graph, time);
        if (IsTwice(roles))
            Say("--prediction eps", $"'{roles.Output!.Name}' has twice the sample's channels, as networks that learn their variance");
        else if (roles.Others.Any(InputRoles.MeansNothingAtZero) || roles.Time?.Name is "noise_labels" or "c_noise")
            Say("--prediction edm", $"inputs as EDM's raw networks have them ({string.Join(", ", graph.Inputs.Select(i => i.Name))})");
        else if (prediction is null && roles.Time?.Name is "sigma" or "sigmas")
            Say("--prediction denoiser", $"the time is named '{roles.Time.Name}'");
        else if (prediction is not null && !(whole && prediction == "flow"))
            Say($"--prediction {prediction}", $"the output is named '{roles.Output!.Name}'");
        else
            Say("--prediction NAME", "nothing tells what it predicts");
        if (whole)
            Say("--schedule ddpm", "its time is a whole number; scaled-linear for latents, cosine and others where it was trained so");
        if (roles.Label is { } label)
            Say("--labels N", $"'{label.Name}' takes classes");
        foreach (var other in roles.Others.Where(static o => !InputRoles.MeansNothingAtZero(o)))
            Say($"--constant {other.Name}=VALUE", $"nothing tells what {other} is");
        return new ConventionGuess(roles, string.Join(' ', arguments), reasons);
    }

    private static bool IsTwice(InputRoles roles) => roles is { Sample.KnownShape: { Rank: 4 } sample, Output.KnownShape: { Rank: 4 } output }
        && sample[1].IsKnown && output[1].IsKnown && output[1].Size == 2 * sample[1].Size;
}
