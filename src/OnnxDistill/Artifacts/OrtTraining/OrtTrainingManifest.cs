using OnnxDistill.Recipes;

namespace OnnxDistill.Artifacts.OrtTraining;

/// <summary>manifest.json beside ONNX Runtime's training files: what a client has to know that they do not say.</summary>
public sealed record OrtTrainingManifest
{
    /// <summary>Version of this manifest.</summary>
    public int Format { get; init; } = 1;

    /// <summary>Whose layout the files have.</summary>
    public string Layout { get; init; } = OrtTrainingWriter.FormatName;

    /// <summary>Name of the method.</summary>
    public required string Method { get; init; }

    /// <summary>Samples a step.</summary>
    public required int Batch { get; init; }

    /// <summary>Length of the run in samples; the learning rate may follow it.</summary>
    public required long Images { get; init; }

    /// <summary>The training model's file.</summary>
    public string TrainingModel { get; init; } = OrtTrainingWriter.TrainingFile;

    /// <summary>The evaluation model's file.</summary>
    public string EvalModel { get; init; } = OrtTrainingWriter.EvaluationFile;

    /// <summary>The optimizer model's file.</summary>
    public string OptimizerModel { get; init; } = OrtTrainingWriter.OptimizerFile;

    /// <summary>The file of the initial state.</summary>
    public string Checkpoint { get; init; } = OrtTrainingWriter.CheckpointFile;

    /// <summary>What a training step is fed, in the order in which it has to be handed over.</summary>
    public required IReadOnlyList<ManifestTensor> Inputs { get; init; }

    /// <summary>What an evaluation step is fed, in order; the network drops nothing in it.</summary>
    public required IReadOnlyList<ManifestTensor> EvalInputs { get; init; }

    /// <summary>The output of both.</summary>
    public required ManifestTensor Loss { get; init; }

    /// <summary>The trained parameters, each with its place in the flat vector that a session hands out.</summary>
    public required IReadOnlyList<ManifestParameter> Parameters { get; init; }

    /// <summary>Parameters that are read and not trained.</summary>
    public required IReadOnlyList<string> Frozen { get; init; }

    /// <summary>The recipe's settings of the optimizer.</summary>
    public required OptimizerOptions Optimizer { get; init; }

    /// <summary>The learning rate when the run has seen <c>imagesSeen</c> samples. A session that is told none keeps to the recipe's; the rest is the client's to follow.</summary>
    public string LearningRate { get; init; } = Manifest.LearningRate;

    /// <summary>What the format leaves to the client.</summary>
    public IReadOnlyList<string> Notes { get; init; } =
    [
        "Builds of ONNX Runtime with the training API have it up to 1.19.2.",
        "A step is runTrainStep, runOptimizerStep, lazyResetGrad. Without the last one the next gradient is added to this one: a sum, not a mean.",
        "A session that is told no learning rate has 0.001, and the optimizer model takes exactly that for the recipe's; any other rate counts as it is. A schedule that comes to 0.001 feeds 0.00100001.",
        "JavaScript: hand the inputs over in the order of the list; the session does not look at their names. It has no call for the learning rate, so the recipe's stays.",
        "Updates whose loss or gradient is not finite are made all the same: look at the loss before the optimizer's step.",
        "No average of the weights (EMA) is kept; average what the session hands out, if you want one.",
    ];
}
