using OnnxDistill.Graph.Building.Resampling;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>y = x sampled at the places that a grid tells: dx adds each point's gradient to the elements that it was made of, the grid takes the slope
/// of the interpolation there (none for nearest).</summary>
internal sealed class GridSampleRule : IGradientRule
{
    public IReadOnlyList<Value?> Apply(GradientContext context)
    {
        var taps = new GridTaps(context.Builder, context.Node);
        var byPoint = taps.ByPoint(context.OutputGradient);
        return [taps.InputGradient(byPoint), taps.HasSlope ? taps.GridGradient(byPoint) : null];
    }
}
