using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Tests.Teachers;

/// <summary>A convention in numbers.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">The network's own noisy state of (clean, noise, sigma).</param>
/// <param name="Time">The network's own time at sigma.</param>
/// <param name="Output">What a network that knows clean and noise puts out, at sigma.</param>
/// <param name="Exact">Emits the best possible network for data of N(mean, std²).</param>
internal sealed record ConventionCase(string Name, Func<double, double, double, double> State, Func<double, double> Time,
    Func<double, double, double, double> Output, Func<GraphBuilder, Value, Value, double, double, Value> Exact)
{
    public override string ToString() => Name;
}

/// <summary>A row a convention.</summary>
internal static class ConventionCases
{
    public static readonly ConventionCase[] All =
    [
        new("denoiser", (clean, noise, sigma) => clean + (sigma * noise), sigma => sigma, (clean, _, _) => clean, RawNetworks.Posterior),
        // (1 - t) clean + t noise with t = sigma / (1 + sigma).
        new("flow", (clean, noise, sigma) => (clean + (sigma * noise)) / (1 + sigma), sigma => sigma / (1 + sigma), (clean, noise, _) => noise - clean,
            RawNetworks.FlowVelocity),
    ];
}
