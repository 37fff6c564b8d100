using OnnxDistill.Graph.Model;
using OnnxDistill.Recipes;
using OnnxDistill.Students;

namespace OnnxDistill.Export;

/// <summary>How a generator is exported.</summary>
public sealed record ExportOptions
{
    /// <summary>What its weights are in.</summary>
    public ExportPrecision Precision { get; init; }

    /// <summary>How it gives images.</summary>
    public PixelForm Pixels { get; init; }

    /// <summary>Names of its classes in order, for the metadata; empty for those that are known already, if any are.</summary>
    public IReadOnlyList<string> LabelNames { get; init; } = [];

    /// <summary>What a reduced precision is measured by, beside the differences of samples; null for nothing.</summary>
    public EvaluationOptions? Evaluation { get; init; }

    /// <summary>Samples that a reduced precision is compared on, where no metric says so.</summary>
    public int Samples { get; init; } = 2000;
}

/// <summary>What is exported: a run's student, or the generator of a file.</summary>
/// <param name="Build">Builds the fp32 model, a new one at each call, nothing clamped.</param>
/// <param name="Student">The student as training composes it.</param>
/// <param name="Weights">Values of its parameters.</param>
public sealed record ExportSource(Func<OnnxModel> Build, IStudent Student, IReadOnlyDictionary<string, TensorData> Weights)
{
    /// <summary>Whether the model is a denoiser, a teacher of further runs, instead of a generator.</summary>
    public bool IsDenoiser { get; init; }

    /// <summary>What the run measures itself by; null when it does not.</summary>
    public EvaluationOptions? Evaluation { get; init; }
}

/// <summary>An exported model with what was found out about it.</summary>
/// <param name="Model">The model, its metadata complete.</param>
/// <param name="Check">Against the training graph.</param>
/// <param name="Loss">What a reduced precision costs; null for fp32.</param>
public sealed record ExportResult(OnnxModel Model, GeneratorCheck Check, PrecisionLoss? Loss);
