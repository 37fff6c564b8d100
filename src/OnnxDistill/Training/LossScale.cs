using System.Text.Json.Nodes;
using OnnxDistill.Recipes;

namespace OnnxDistill.Training;

/// <summary>
/// The factor on one phase's loss under fp16, found while training: halved when a gradient is not finite, doubled after enough finite steps in
/// a row, as mixed-precision training does (Micikevicius et al. 2018, arXiv 1710.03740, section 3.2). The optimizer divides by it before it clips or measures. A method's
/// own factor (SiD's lsg) is part of its loss and stays. Part of the saved state.
/// </summary>
public sealed class LossScale
{
    /// <summary>Where overflow stops being an excuse: gradients that are not finite at this scale are not finite in float32 either.</summary>
    private const double Least = 1;

    /// <summary>Beyond this the scale itself comes near what float32 can hold.</summary>
    private const double Most = 1e30;

    private readonly int _growthSteps;
    private long _goodSteps;

    /// <summary>The scale at the start of a run.</summary>
    public LossScale(LossScaleOptions options) => (Value, _growthSteps) = (options.Initial, options.GrowthSteps);

    /// <summary>The factor now.</summary>
    public double Value { get; private set; }

    /// <summary>Notes how a step ended.</summary>
    /// <param name="finite">Whether all of its gradients were finite.</param>
    /// <returns>Whether the scale is to blame: the step was not finite, and the scale has been lowered for the next.</returns>
    public bool Note(bool finite)
    {
        _goodSteps = finite ? _goodSteps + 1 : 0;
        if (!finite && Value > Least)
        {
            Value = Math.Max(Least, Value / 2);
            return true;
        }
        if (_goodSteps >= _growthSteps)
            (Value, _goodSteps) = (Math.Min(Most, Value * 2), 0);
        return false;
    }

    /// <summary>What a state file holds.</summary>
    internal JsonObject Save() => new() { ["value"] = Value, ["goodSteps"] = _goodSteps };

    /// <summary>Whether <see cref="Load"/> can take that up.</summary>
    internal static bool CanLoad(JsonNode? saved) => saved?["value"] is JsonValue value && saved["goodSteps"] is JsonValue steps
        && value.TryGetValue<double>(out var scale) && steps.TryGetValue<long>(out var good) && scale is >= Least and <= Most && good >= 0;

    /// <summary>Takes up what a state file holds.</summary>
    internal void Load(JsonNode? saved) => (Value, _goodSteps) = (saved!["value"]!.GetValue<double>(), saved["goodSteps"]!.GetValue<long>());
}
