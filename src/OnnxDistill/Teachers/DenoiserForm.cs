using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers;

/// <summary>What a denoiser's graph and card have to agree on.</summary>
internal static class DenoiserForm
{
    /// <summary>The extents of a sample, when the graph has the form of a denoiser and the card says the same of it.</summary>
    /// <exception cref="TeacherMismatchException">It does not; every fault that was found.</exception>
    public static long[] Require(OnnxGraph graph, TeacherCard card, string what)
    {
        var faults = new List<string>();
        string[] expected = card.IsConditional ? [Denoiser.X, Denoiser.Sigma, Denoiser.Label] : [Denoiser.X, Denoiser.Sigma];
        var found = graph.Inputs.ConvertAll(i => i.Name);
        if (card.IsConditional && !found.Contains(Denoiser.Label))
            faults.Add($"its card has {card.Labels} classes, but the graph has no input '{Denoiser.Label}'");
        else if (!card.IsConditional && found.Contains(Denoiser.Label))
            faults.Add($"the graph has an input '{Denoiser.Label}', but its card has no classes");
        else if (!expected.All(found.Contains) || found.Count != expected.Length)
            faults.Add($"it should have the inputs {string.Join(", ", expected)}, it has {string.Join(", ", found)}");
        if (!graph.Outputs.Exists(o => o.Name == Denoiser.Denoised))
            faults.Add($"it should have the output {Denoiser.Denoised}, it has {string.Join(", ", graph.Outputs.Select(o => o.Name))}");
        if (card.NullLabel >= 0 && !card.IsConditional)
            faults.Add($"its card has the null label {card.NullLabel}, but no classes");
        if (!(card.SigmaMin > 0 && card.SigmaMin < card.SigmaMax && card.SigmaData > 0))
            faults.Add(FormattableString.Invariant($"its card has noise levels from {card.SigmaMin} to {card.SigmaMax} and sigma_data = {card.SigmaData}; expected 0 < smallest < largest and a positive sigma_data"));
        var sample = graph.Inputs.Find(i => i.Name == Denoiser.X)?.KnownShape;
        if (sample is not null && (sample.Rank < 2 || sample.Skip(1).Any(d => !d.IsKnown)))
            faults.Add($"it takes {Denoiser.X} of shape {sample}; every extent but the batch has to be a number");
        else if (sample is not null && card.Shape.Length > 0 && card.Shape != string.Join('x', sample.Skip(1)))
            faults.Add($"its card has samples of {card.Shape}, the graph takes {Denoiser.X} of shape {sample}");
        else if (sample is null && faults.Count == 0)
            faults.Add($"its input {Denoiser.X} has no shape");
        return faults.Count == 0 ? [.. sample!.Skip(1).Select(d => d.Size)] // without faults there is one
            : throw new TeacherMismatchException($"{what} is no denoiser: {string.Join("; ", faults)}. Import the network again.");
    }
}
