using OnnxDistill.Recipes;

namespace OnnxDistill.Training;

/// <summary>
/// What of one iteration was not finite: the one place that decides which updates are made, and counts those that are not. What follows
/// from many bad iterations in a row is <see cref="DivergenceGuard"/>'s.
/// </summary>
internal struct UpdateTally
{
    private int _skipped;
    private int _nonFiniteLosses;
    private int _overflows;
    private long _replaced;

    /// <summary>Whether an update is to be made after that loss: a loss that is not finite spoils it, however sound its gradient looks, unless the
    /// optimizer follows the papers, which look at gradients only.</summary>
    public static bool Wants(double loss, OptimizerOptions options) => double.IsFinite(loss) || options.NonFinite == NonFiniteGradients.Zero;

    /// <summary>Counts a phase's loss.</summary>
    public void Loss(double loss) => _nonFiniteLosses += double.IsFinite(loss) ? 0 : 1;

    /// <summary>Counts the updates after one loss. Under fp16 its scale learns how they ended; what is not finite after a sound loss is then the
    /// scale's doing as long as that can be lowered, and no sign of divergence.</summary>
    public void Updates(double loss, LossScale? scale, IReadOnlyCollection<UpdateResult> results)
    {
        var overflowed = scale is not null && double.IsFinite(loss) && scale.Note(results.All(static r => float.IsFinite(r.Norm) && r.Replaced == 0));
        var missed = results.Count(static r => !r.Made);
        _skipped += overflowed ? 0 : missed;
        _overflows += overflowed ? missed : 0;
        _replaced += results.Sum(static r => r.Replaced);
    }

    public readonly IterationResult Result(IReadOnlyDictionary<string, double> losses, IReadOnlyDictionary<string, double> norms) =>
        new(losses, norms, _skipped) { NonFiniteLosses = _nonFiniteLosses, Replaced = _replaced, Overflows = _overflows };
}
