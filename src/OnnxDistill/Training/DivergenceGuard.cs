using System.Text.Json.Nodes;
using OnnxDistill.Recipes;

namespace OnnxDistill.Training;

/// <summary>
/// Watches iterations for numbers that are not finite: counts them over the whole run, and knows when there have been too many bad ones in
/// a row and whether the run may still go back. Part of the saved state, so that a run that is stopped in a bad stretch goes on in it.
/// </summary>
internal sealed class DivergenceGuard
{
    private readonly TrainingOptions _options;
    private string? _unproven;

    /// <param name="options">The limits.</param>
    /// <param name="saved">What <see cref="Save"/> gave, to go on from there.</param>
    public DivergenceGuard(TrainingOptions options, JsonObject? saved = null)
    {
        _options = options;
        if (saved is null)
            return;
        long Number(string name) => saved[name]!.GetValue<long>();
        (BadInARow, Rollbacks) = ((int)Number("badInARow"), (int)Number("rollbacks"));
        (LastGood, _unproven) = (saved["lastGood"]?.GetValue<string>(), saved["unproven"]?.GetValue<string>());
        (Skipped, NonFiniteLosses, Replaced) = (Number("skipped"), Number("nonFiniteLosses"), Number("replaced"));
    }

    /// <summary>Bad iterations since the last good one.</summary>
    public int BadInARow { get; private set; }

    /// <summary>How often the run has gone back.</summary>
    public int Rollbacks { get; private set; }

    /// <summary>Updates left out in the whole run, those of stretches that a rollback undid included.</summary>
    public long Skipped { get; private set; }

    /// <summary>Updates of the whole run whose loss was not finite.</summary>
    public long NonFiniteLosses { get; private set; }

    /// <summary>Numbers of gradients that were replaced in the whole run.</summary>
    public long Replaced { get; private set; }

    /// <summary>File name of the newest state that a good iteration has followed: the step that led to it may itself have been the fatal one. Null when there is none.</summary>
    public string? LastGood { get; private set; }

    /// <summary>Whether too many iterations in a row were bad.</summary>
    public bool Diverged => BadInARow >= _options.MaxSkippedSteps;

    /// <summary>Whether the run may go back once more.</summary>
    public bool MayRollBack => Rollbacks < _options.Rollbacks && LastGood is not null;

    public void Add(IterationResult result)
    {
        BadInARow = result.IsBad ? BadInARow + 1 : 0;
        LastGood = result.IsBad ? LastGood : _unproven ?? LastGood;
        _unproven = null;
        Skipped += result.Skipped;
        NonFiniteLosses += result.NonFiniteLosses;
        Replaced += result.Replaced;
    }

    /// <summary>A state is about to be saved under that name.</summary>
    public void Saving(string state) => _unproven = BadInARow == 0 ? state : null;

    /// <summary>The run has gone back to its last good state.</summary>
    public void RolledBack() => (Rollbacks, BadInARow) = (Rollbacks + 1, 0);

    public JsonObject Save() => new()
    {
        ["badInARow"] = BadInARow,
        ["rollbacks"] = Rollbacks,
        ["lastGood"] = LastGood,
        ["unproven"] = _unproven,
        ["skipped"] = Skipped,
        ["nonFiniteLosses"] = NonFiniteLosses,
        ["replaced"] = Replaced,
    };
}
