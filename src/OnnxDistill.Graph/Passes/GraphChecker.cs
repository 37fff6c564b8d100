using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes;

/// <summary>Tells whether a model in memory is well formed: what passes and builders must keep true. Files are checked by the
/// reader.</summary>
public static class GraphChecker
{
    /// <summary>Everything that is wrong, in the graph's order; empty for a sound model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="allowedDomains">Operator domains besides the standard one and the stop-gradient marker's that nodes may be of.</param>
    public static IReadOnlyList<string> Findings(OnnxModel model, params IEnumerable<string> allowedDomains)
    {
        ArgumentNullException.ThrowIfNull(model);
        var findings = new List<string>();
        if (model.Opset != OnnxModel.InnerOpset)
            findings.Add($"the model is of opset {model.Opset}, expected {OnnxModel.InnerOpset}");
        var domains = new HashSet<string>(allowedDomains, StringComparer.Ordinal) { "", StopGradientMarker.Domain };
        foreach (var domain in model.Opsets.Keys.Where(d => !domains.Contains(d)))
            findings.Add($"the model imports the operator domain '{domain}', which is not allowed here");
        new GraphCheck(model.Graph, domains, findings, outer: null).Run();
        return findings;
    }

    /// <summary>As <see cref="Findings"/>, for a model that is written for others to run: also node names (each its own, and readable), types and shapes of inputs
    /// and outputs, imports of the domains that nodes are of, the format's version, and keys of the metadata.</summary>
    /// <param name="model">The model.</param>
    public static IReadOnlyList<string> FileFindings(OnnxModel model)
    {
        var findings = new List<string>(Findings(model));
        new FileCheck(model, findings).Run();
        return findings;
    }

    /// <summary>Throws when anything is wrong: for the ends of passes, where a finding is a mistake of the code, not of a user's
    /// file.</summary>
    /// <exception cref="InvalidOperationException">The model is not well formed; the message lists all findings.</exception>
    public static void Check(OnnxModel model, params IEnumerable<string> allowedDomains)
    {
        var findings = Findings(model, allowedDomains);
        if (findings.Count > 0)
            throw new InvalidOperationException($"Graph '{model.Graph.Name}' is not well formed:\n  - {string.Join("\n  - ", findings)}");
    }
}
