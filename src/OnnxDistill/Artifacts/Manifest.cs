using OnnxDistill.Methods;
using OnnxDistill.Training;

namespace OnnxDistill.Artifacts;

/// <summary>manifest.json: everything that a client needs to train with the artifacts on any ONNX Runtime, in any language.</summary>
public sealed record Manifest
{
    /// <summary>Version of this format.</summary>
    public int Format { get; init; } = 1;

    /// <summary>Name of the method.</summary>
    public required string Method { get; init; }

    /// <summary>Samples a step.</summary>
    public required int Batch { get; init; }

    /// <summary>Seed of the run. Any random numbers train; whoever wants the trainer's own draws update <c>u</c> of an input (each phase counts its updates from 0) from
    /// the Philox stream named <c>phase/input</c> under this seed at step <c>u</c>, see <see cref="Runtime.Noise.NoiseStream"/>.</summary>
    public long Seed { get; init; }

    /// <summary>Length of the run in samples that the student's step has seen; the learning rate may follow it.</summary>
    public required long Images { get; init; }

    /// <summary>Averaging of the student's weights.</summary>
    public required Recipes.EmaOptions Ema { get; init; }

    /// <summary>How the losses' scale starts and grows; fp16 only.</summary>
    public Recipes.LossScaleOptions? LossScale { get; init; }

    /// <summary>Noise level of the student's one step: x = D(sigmaInit z; sigmaInit); absent where the student is no denoiser.</summary>
    public double? SigmaInit { get; init; }

    /// <summary>The teacher's pairs, for phases with inputs of the role "pair"; null where no phase has any.</summary>
    public ManifestPairs? Pairs { get; init; }

    /// <summary>The training graphs of one iteration, in order.</summary>
    public required IReadOnlyList<ManifestPhase> Phases { get; init; }

    /// <summary>The trained networks.</summary>
    public required IReadOnlyList<ManifestNetwork> Networks { get; init; }

    /// <summary>The student's one step with the weights as inputs, for looking at samples; null where the run makes a denoiser.</summary>
    public ManifestGenerator? Generator { get; init; }

    internal const string LearningRate = "learningRate * min(1, imagesSeen / warmUpImages) * (finalFraction + (1 - finalFraction) * (1 + cos(pi * min(1, imagesSeen / images))) / 2); "
        + "without the second factor when warmUpImages is 0";

    /// <summary>How to feed the optimizers' scalars at update number <c>step</c> (from 1, each network's own count), when the run has seen
    /// <c>imagesSeen</c> samples (batch times the iterations before this one).</summary>
    public IReadOnlyDictionary<string, string> Scalars { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["lr"] = LearningRate,
        [OptimizerGraph.StepSize] = "lr / (1 - beta1^step)",
        [OptimizerGraph.SecondScale] = "1 / sqrt(1 - beta2^step)",
        [OptimizerGraph.Decay] = "lr * weightDecay",
        [OptimizerGraph.GradientScale] = "1 / loss_scale, of the phase that made the gradient; fp16 only",
        [TrainingGraph.LossScaleInput] = "each phase's own: starts at initial; halved after an update whose gradient_norm is not finite (leave such an update out), doubled after growthSteps finite ones in a row; fp16 only",
        [OptimizerGraph.EmaShare] = "1 - 0.5^(batch / max(min(halfLifeImages, imagesSeen * rampUp), 1e-8)); halfLifeImages in place of the minimum when rampUp is 0",
    };
}

/// <summary>Pairs of noise and the teacher's sample of it. Each update of a phase that learns from them takes the next <c>batch</c> rows, the same of every array, and
/// goes through all of them in a new random order each time.</summary>
/// <param name="File">The .npz file.</param>
/// <param name="Count">Rows of its arrays.</param>
public sealed record ManifestPairs(string File, int Count);

/// <summary>A graph that draws samples with whatever weights it is fed.</summary>
/// <param name="File">ONNX file.</param>
/// <param name="Data">Kind of the samples: image (numbers from -1 to 1) or points.</param>
/// <param name="Labels">Number of classes, 0 for none.</param>
/// <param name="Inputs">What to feed: the latent z (standard normal numbers), the label of a conditional generator, the student's parameters.</param>
/// <param name="Outputs">The samples.</param>
public sealed record ManifestGenerator(string File, string Data, int Labels, IReadOnlyList<ManifestTensor> Inputs, IReadOnlyList<ManifestTensor> Outputs);

/// <summary>One training graph.</summary>
/// <param name="Name">Name of the phase.</param>
/// <param name="File">ONNX file.</param>
/// <param name="Updates">Runs an iteration; after each, the optimizers of <paramref name="Trains"/> run.</param>
/// <param name="Trains">Networks that get gradients.</param>
/// <param name="Inputs">What to feed.</param>
/// <param name="Outputs">What comes out.</param>
public sealed record ManifestPhase(string Name, string File, int Updates, IReadOnlyList<string> Trains, IReadOnlyList<ManifestTensor> Inputs,
    IReadOnlyList<ManifestTensor> Outputs)
{
    /// <summary>Samples seen before the phase is run at all.</summary>
    public long FromImages { get; init; }
}

/// <summary>An input or output of a graph.</summary>
/// <param name="Name">Name in the graph.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Extents; -1 where any number of samples fits, which is so in the generator's graph only.</param>
/// <param name="Role">noise, label, image, image_label, pair, ramp, carried, parameter, gradient, loss, state, scalar, statistic, latent or sample.</param>
public sealed record ManifestTensor(string Name, string Type, long[] Shape, string Role)
{
    /// <summary>For noise: normal (0, 1) or uniform [0, 1).</summary>
    public string? Distribution { get; init; }

    /// <summary>For ramps: the scalar is <c>from</c> until <c>startImages</c> samples have been seen, <c>to</c> from <c>endImages</c> on, and between them on a line.</summary>
    public Ramp? Ramp { get; init; }

    /// <summary>For pairs: the array of the pairs' file that it is fed from.</summary>
    public string? Array { get; init; }

    /// <summary>For carried vectors: what the first update finds; each update's output <c>replacedBy</c> is the next one's input.</summary>
    public float[]? Initial { get; init; }

    /// <summary>For labels: integers from 0 to below this.</summary>
    public long? Bound { get; init; }

    /// <summary>For parameters and gradients: whose.</summary>
    public string? Network { get; init; }

    /// <summary>For parameters and gradients: first element in the network's flat vector.</summary>
    public long? Offset { get; init; }

    /// <summary>For the optimizer's state: the output that replaces this input in the next step.</summary>
    public string? ReplacedBy { get; init; }
}

/// <summary>A trained network.</summary>
/// <param name="Role">Its name.</param>
/// <param name="Length">Elements of its flat vectors, padding included; padding is zero and stays so.</param>
/// <param name="Parameters">Where each parameter lies.</param>
/// <param name="OptimizerFile">ONNX file of the optimizer.</param>
/// <param name="OptimizerInputs">What to feed it.</param>
/// <param name="OptimizerOutputs">What comes out.</param>
/// <param name="Initial">State name to the .npy file of its initial flat vector; states that are not listed start at zero.</param>
/// <param name="Optimizer">Settings: learning rate, betas, ...</param>
public sealed record ManifestNetwork(string Role, long Length, IReadOnlyList<ManifestParameter> Parameters, string OptimizerFile,
    IReadOnlyList<ManifestTensor> OptimizerInputs, IReadOnlyList<ManifestTensor> OptimizerOutputs, IReadOnlyDictionary<string, string> Initial,
    Recipes.OptimizerOptions Optimizer);

/// <summary>A parameter's place.</summary>
/// <param name="Name">Name in the network.</param>
/// <param name="Shape">Extents.</param>
/// <param name="Offset">First element in the flat vector.</param>
public sealed record ManifestParameter(string Name, long[] Shape, long Offset);
