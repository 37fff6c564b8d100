using OnnxDistill.Graph;
using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Verification;

namespace OnnxDistill.Tests.Gradients;

/// <summary>Checks a case: its gradient against central differences on ONNX Runtime, and the gradient of the gradient likewise.</summary>
internal static class GradientHarness
{
    /// <summary>Relative error in float64: the differences are good to 1e-9 or so, and a wrong term is far above that.</summary>
    private const double DoubleTolerance = 1e-6;

    /// <summary>Runs the checks in float64 where the CPU provider has every kernel, else in float32.</summary>
    /// <returns>The precision that they ran in.</returns>
    public static ElementType Check(GradientCase @case)
    {
        if (@case.SingleOnly.Length > 0)
        {
            Check(@case, ElementType.Float32, @case.SingleTolerance);
            return ElementType.Float32;
        }
        try
        {
            Check(@case, ElementType.Float64, DoubleTolerance);
            return ElementType.Float64;
        }
        // No kernel, or a type that the operator does not take. An operator without a rule fails again in float32.
        catch (Exception e) when (e is UnsupportedOpException or ModelFileException)
        {
            Check(@case, ElementType.Float32, @case.SingleTolerance);
            return ElementType.Float32;
        }
    }

    // Convolutions have gradients of more than one form.
    private static void Check(GradientCase @case, ElementType precision, double tolerance)
    {
        foreach (var target in @case.Op is "Conv" or "ConvTranspose" ? Enum.GetValues<GradientTarget>() : [GradientTarget.Cpu])
            Check(@case, precision, new GradientCheckOptions { Tolerance = tolerance, Target = target });
    }

    private static void Check(GradientCase @case, ElementType precision, GradientCheckOptions options)
    {
        var feeds = @case.Feeds(precision);
        // A floating constant of a case is meant to be one, so no initializer is a weight.
        // Converted first: ONNX Runtime has kernels for float64 more often for the standard operators than for what they stand for.
        var first = CheckedModel.Prepare(OpsetConverter.Convert(@case.Build(precision)), feeds, options) with { Weights = [] };
        AssertAgrees(GradientCheck.Run(first, feeds, options), $"{@case} in {precision}, first derivative");

        using var program = new GradientProgram(first.Graph, [], options.Device, options.Target);
        var gradient = program.GradientModel.Graph;
        var outside = gradient.Nodes.Where(n => !GradientRules.IsNoGradient(n) && GradientRules.Find(n) is null).Select(n => n.QualifiedOp).Distinct();
        Assert.AreEqual("", string.Join(", ", outside), $"{@case}: the gradient has operators that cannot be differentiated again");
        if (@case.FirstOrderOnly.Length == 0)
            AssertAgrees(GradientCheck.Run(new CheckedModel(gradient, []), feeds, options), $"{@case} in {precision}, second derivative");
    }

    private static void AssertAgrees(GradientCheckReport report, string what)
    {
        var wrong = report.Rows.Where(static r => r.Verdict != GradientVerdict.Agrees).Select(static r => r.ToString());
        Assert.AreEqual("", string.Join("\n", wrong), what);
        Assert.IsTrue(report.Rows.Any(static r => r.Analytic != 0), $"{what}: every slope is 0, so the check says nothing");
    }
}
