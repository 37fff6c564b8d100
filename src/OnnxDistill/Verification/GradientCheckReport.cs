namespace OnnxDistill.Verification;

/// <summary>What a comparison of a gradient with differences says.</summary>
public enum GradientVerdict
{
    /// <summary>They agree within the tolerance.</summary>
    Agrees,
    /// <summary>They disagree by more than the tolerance and the uncertainty of the differences allow.</summary>
    Differs,
    /// <summary>Rounding or kinks make the differences too uncertain to tell, as where a value has next to no influence.</summary>
    TooWeakToTell,
}

/// <summary>One value's gradient against central differences; the numbers are those of the worst direction.</summary>
/// <param name="Name">The input or initializer, or <see cref="GradientCheckReport.All"/>.</param>
/// <param name="Elements">How many numbers it has.</param>
/// <param name="Analytic">The generated gradient times the direction.</param>
/// <param name="Numeric">The same slope by central differences.</param>
/// <param name="RelativeError">Their largest difference, relative to the size that slopes have along all directions.</param>
/// <param name="Uncertainty">How uncertain the differences are, relative to the same size.</param>
/// <param name="Tolerance">The largest relative error that agrees.</param>
public sealed record GradientCheckRow(string Name, long Elements, double Analytic, double Numeric, double RelativeError, double Uncertainty, double Tolerance)
{
    /// <summary>By how many of its uncertainties a measurement may be off: an uncertainty is an estimate, not a bound.</summary>
    private const double UncertaintyMargin = 10;

    /// <summary>What the numbers say.</summary>
    public GradientVerdict Verdict =>
        RelativeError <= Tolerance ? GradientVerdict.Agrees
        : !double.IsFinite(Analytic) || RelativeError > Tolerance + (UncertaintyMargin * Uncertainty) ? GradientVerdict.Differs
        : GradientVerdict.TooWeakToTell;

    /// <summary>Whether nothing speaks against the gradient.</summary>
    public bool Passed => Verdict != GradientVerdict.Differs;
}

/// <summary>The gradients of a model against central differences.</summary>
/// <param name="Rows">All values together, then each floating input and each weight.</param>
/// <param name="Nodes">Nodes of the normalised graph.</param>
/// <param name="GradientNodes">Nodes of the graph with its gradients.</param>
public sealed record GradientCheckReport(IReadOnlyList<GradientCheckRow> Rows, int Nodes, int GradientNodes)
{
    /// <summary>Name of the row in which all values move at once.</summary>
    public const string All = "(all together)";

    /// <summary>Whether every slope is 0: nothing flows, or the outputs are saturated at these feeds, and the check says nothing.</summary>
    public bool IsFlat => Rows.All(static r => r.Analytic == 0 && r.Numeric == 0);

    /// <summary>Whether no gradient is off.</summary>
    public bool Passed => Rows.All(static r => r.Passed);
}
