using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using OnnxDistill.Data.Images;
using OnnxDistill.Evaluation;
using OnnxDistill.Students;

namespace OnnxDistill.Recipes;

/// <summary>Everything a run is made of. Order of precedence: defaults, method's preset, named preset, file, command line; the resolved one is saved.</summary>
public sealed record Recipe : IValidatableObject
{
    /// <summary>Published settings that lie under these ones, see NamedPresets; it names the method too. Empty for none.</summary>
    public string Preset { get; init; } = "";

    /// <summary>Name of the method, see DistillationMethods.</summary>
    public string Method { get; init; } = "";

    /// <summary>The method's own options.</summary>
    public JsonObject Options { get; init; } = [];

    /// <summary>The teacher's ONNX file, relative to the recipe; empty for fits that need none.</summary>
    public string Teacher { get; init; } = "";

    /// <summary>Where student and fake score start: a denoiser's ONNX file, relative to the recipe; empty for the teacher itself.</summary>
    public string Initial { get; init; } = "";

    /// <summary>A built-in network with fresh weights to start from, instead of <see cref="Initial"/>: <c>kind</c> and the kind's own options,
    /// see NetworkCatalog.</summary>
    public JsonObject? Network { get; init; }

    /// <summary>The student's own network where it is no denoiser: an ONNX file from a latent to a sample (a GAN's generator, a finished run), relative to the recipe; empty
    /// for a denoiser at <see cref="TrainingOptions.SigmaInit"/>.</summary>
    public string Student { get; init; } = "";

    /// <summary>How that file is read; a generator that this project wrote needs none of it.</summary>
    public GeneratorOptions StudentImport { get; init; } = new();

    /// <summary>A built-in generator with fresh weights as the student, instead of <see cref="Student"/>: <c>kind</c> and the kind's own options, see GeneratorCatalog.</summary>
    public JsonObject? Generator { get; init; }

    /// <summary>Scale of the teacher's classifier-free guidance, D_none + s (D_class - D_none); 1 for none. Costs a second evaluation of the teacher.</summary>
    [Range(0, 1000)]
    public double Guidance { get; init; } = 1;

    /// <summary>Real images: what a fit learns, and what some methods need beside the teacher.</summary>
    public DataOptions Data { get; init; } = new();

    /// <summary>The loop.</summary>
    public TrainingOptions Training { get; init; } = new();

    /// <summary>What is measured on the way.</summary>
    public EvaluationOptions Evaluation { get; init; } = new();

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Network is not null && Initial.Length > 0)
            yield return new ValidationResult("network: found beside 'initial'; only one of them can be the start. Leave the other out.");
        if (Generator is not null && Student.Length > 0)
            yield return new ValidationResult("generator: found beside 'student'; only one of them can be the student. Leave the other out.");
        if (Student.Length == 0 && StudentImport != new GeneratorOptions())
            yield return new ValidationResult("studentImport: found without 'student', the file that it is about. Leave it out, or name the file.");
    }
}

/// <summary>Options of the training loop.</summary>
public sealed record TrainingOptions : IValidatableObject
{
    /// <summary>Seed of every random number of the run.</summary>
    public long Seed { get; init; }

    /// <summary>Samples a step.</summary>
    [Range(1, 1 << 20)]
    public int Batch { get; init; } = 128;

    /// <summary>Length of the run in samples that the student's step has seen.</summary>
    [Range(1, long.MaxValue)]
    public long Images { get; init; } = 1_000_000;

    /// <summary>Seconds of training after which the run ends, if <see cref="Images"/> have not been seen before; 0 for no limit. Only steps count: snapshots,
    /// metrics and states do not, nor does the time between a stop and a resume. Learning rates follow images, never time, so a schedule that is to reach its
    /// end within the time needs an <see cref="Images"/> that does.</summary>
    [Range(0, 1e9)]
    public double Seconds { get; init; }

    /// <summary>Noise level at which the student network turns noise into a sample, in units of sigma_data = 0.5; scales with the teacher's.</summary>
    [Range(1e-6, 1e6)]
    public double SigmaInit { get; init; } = 2.5;

    /// <summary>The optimizer of every network, unless <see cref="Optimizers"/> says otherwise.</summary>
    public OptimizerOptions Optimizer { get; init; } = new();

    /// <summary>Settings for single networks by role (student, fake_score), over <see cref="Optimizer"/>.</summary>
    public Dictionary<string, OptimizerOptions> Optimizers { get; init; } = [];

    /// <summary>Averaging of the student's weights.</summary>
    public EmaOptions Ema { get; init; } = new();

    /// <summary>Samples between rows of log.csv.</summary>
    [Range(1, long.MaxValue)]
    public long LogImages { get; init; } = 10_000;

    /// <summary>Samples between pictures and metrics; 0 for only at the end.</summary>
    [Range(0, long.MaxValue)]
    public long SnapshotImages { get; init; }

    /// <summary>Seconds of training between pictures and metrics, beside <see cref="SnapshotImages"/>; 0 for none.</summary>
    [Range(0, 1e9)]
    public double SnapshotSeconds { get; init; }

    /// <summary>Samples between state files; 0 for only at the end and when stopped.</summary>
    [Range(0, long.MaxValue)]
    public long StateImages { get; init; }

    /// <summary>How many state files are kept.</summary>
    [Range(1, 1000)]
    public int KeepStates { get; init; } = 2;

    /// <summary>Steps in a row that left out an update, or whose loss was not finite, after which the run counts as diverged.</summary>
    [Range(1, 1_000_000)]
    public int MaxSkippedSteps { get; init; } = 20;

    /// <summary>How often a diverged run goes back to its newest good state and on with a smaller learning rate; 0 ends it the first time.</summary>
    [Range(0, 1000)]
    public int Rollbacks { get; init; } = 2;

    /// <summary>Factor on every learning rate at each rollback.</summary>
    [Range(1e-6, 1)]
    public double RollbackFactor { get; init; } = 0.5;

    /// <summary>Where the graphs run: cpu or cuda:0.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Settings of the CUDA provider; without effect on the CPU.</summary>
    public CudaOptions Cuda { get; init; } = new();

    /// <summary>What the networks' products run in; weights, preconditioning, losses, statistics and the optimizer are float32 in either case.</summary>
    public Precision Precision { get; init; } = Precision.Float32;

    /// <summary>Scaling of the losses under fp16.</summary>
    public LossScaleOptions LossScale { get; init; } = new();

    /// <summary>Threads in all, 0 for one a core.</summary>
    [Range(0, 1024)]
    public int Threads { get; init; }

    /// <summary>Parts that a batch is cut into, run side by side with their share of the threads; the batch has to divide by it. 0 takes one a thread
    /// where that pays: on a processor, for networks of up to 16 million parameters (each lane has a gradient and the frozen networks of its own) and parts
    /// of eight samples or more. Threads of one run meet at the end of every operator, lanes once a step. Sums come in another order, nothing else changes.</summary>
    [Range(0, 64)]
    public int Lanes { get; init; }

    /// <summary>Samples that a session runs at once; 0 for all of a lane's part. A smaller number needs less memory: the parts of a batch run one after the
    /// other and their gradients are added up. Batch = microBatch x rounds x lanes x ranks. Sums come in another order, nothing else changes.</summary>
    [Range(0, 1 << 20)]
    public int MicroBatch { get; init; }

    /// <summary>Megabytes that the intermediate results of a step may take, 0 for no limit. Where they would take more, parts of the forward pass are computed a second
    /// time instead of being kept, as little work as does it; the dry run shows both.</summary>
    [Range(0, 1e9)]
    public double ActivationBudgetMb { get; init; }

    /// <summary>The optimizer of that role.</summary>
    public OptimizerOptions OptimizerOf(string role) => Optimizers.GetValueOrDefault(role, Optimizer);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        var problem = "";
        try
        {
            Runtime.Sessions.Device.Parse(Device);
        }
        catch (FormatException error)
        {
            problem = error.Message;
        }
        if (problem.Length > 0)
            yield return new ValidationResult($"device: {problem}");
        if (Precision == Precision.BFloat16)
        {
            yield return new ValidationResult("precision: found bf16, expected fp32 or fp16. At opset 18 ONNX Runtime's CUDA provider has no bfloat16 kernels "
                + "for Conv, ConvTranspose and Einsum, and its CPU provider hardly any at all.");
        }
    }
}

/// <summary>What an update does with a gradient that is not finite everywhere.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NonFiniteGradients>))]
public enum NonFiniteGradients
{
    /// <summary>The update is left out: weights, moments and average stay as they are.</summary>
    [JsonStringEnumMemberName("skip")]
    Skip,
    /// <summary>The rule of the releases of Diff-Instruct and SiD: nan becomes 0, an infinity 1e5 with its sign, and the update is made (methods.md 3.1).</summary>
    [JsonStringEnumMemberName("zero")]
    Zero,
}

/// <summary>Options of Adam and AdamW (Kingma and Ba 2015; Loshchilov and Hutter 2019).</summary>
public sealed record OptimizerOptions
{
    /// <summary>Step size.</summary>
    [Range(0, 10)]
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Decay of the first moment; 0 drops its vector.</summary>
    [Range(0, 0.999999)]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the second moment.</summary>
    [Range(0, 0.9999999)]
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the second moment.</summary>
    [Range(1e-30, 1)]
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay (AdamW); 0 is plain Adam.</summary>
    [Range(0, 1)]
    public double WeightDecay { get; init; }

    /// <summary>Largest norm of the whole gradient; 0 for no limit.</summary>
    [Range(0, 1e12)]
    public double ClipNorm { get; init; }

    /// <summary>Largest absolute value of any number of the gradient; 0 for no limit.</summary>
    [Range(0, 1e12)]
    public double ClipValue { get; init; }

    /// <summary>What happens to numbers of the gradient that are not finite; they are counted in log.csv either way.</summary>
    public NonFiniteGradients NonFinite { get; init; }

    /// <summary>Samples over which the learning rate rises linearly from 0.</summary>
    [Range(0, long.MaxValue)]
    public long WarmUpImages { get; init; }

    /// <summary>Fraction of the learning rate that is left at the end of the run, reached along a cosine; 1 keeps it constant.</summary>
    [Range(0, 1)]
    public double FinalFraction { get; init; } = 1;
}

/// <summary>EDM's exponential moving average: half-life in samples, with ramp-up (methods.md section 1).</summary>
public sealed record EmaOptions
{
    /// <summary>Samples after which a weight's share has halved.</summary>
    [Range(0, 1e12)]
    public double HalfLifeImages { get; init; } = 500_000;

    /// <summary>The half-life is at most this fraction of the samples seen so far; 0 for no ramp-up.</summary>
    [Range(0, 1)]
    public double RampUp { get; init; } = 0.05;
}

/// <summary>What snapshots measure.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Samples drawn for metrics; 0 for none.</summary>
    [Range(0, 10_000_000)]
    public int Samples { get; init; } = 10_000;

    /// <summary>Names from the catalogue of metrics (<c>fd10k</c>, or <c>fd</c> for as many as <see cref="Samples"/>); empty for all that the reference allows.</summary>
    public string[] Metrics { get; init; } = [];

    /// <summary>CSV file of the true mixture, relative to the recipe.</summary>
    public string Mixture { get; init; } = "";

    /// <summary>Reference images (a folder, .zip, .tar(.gz), .npy, .npz or idx file), or the .npz of their features' statistics, relative to the recipe.</summary>
    public string Images { get; init; } = "";

    /// <summary>Side in pixels that reference images are cropped and resized to; 0 leaves them as they are.</summary>
    [Range(0, 16384)]
    public int ImageSize { get; init; }

    /// <summary>ONNX file of a feature extractor for distances between images, relative to the recipe.</summary>
    public string Features { get; init; } = "";

    /// <summary>Name of the extractor's tensor that holds the features; empty for its first output.</summary>
    public string FeatureTensor { get; init; } = "";

    /// <summary>Short name of the extractor in the names of metrics; empty for what its file states, or the file's own name.</summary>
    public string FeatureName { get; init; } = "";

    /// <summary>How samples are brought to what the extractor was trained on.</summary>
    public FeatureInput FeatureInput { get; init; } = new();

    /// <summary>ONNX file of a classifier of images (probabilities, log-probabilities or logits) for inception score and class accuracy, relative to the recipe.</summary>
    public string Classifier { get; init; } = "";

    /// <summary>Name of the classifier's tensor that holds the classes; empty for its first output.</summary>
    public string ClassifierTensor { get; init; } = "";

    /// <summary>Short name of the classifier in the names of metrics; empty for what its file states, or the file's own name.</summary>
    public string ClassifierName { get; init; } = "";

    /// <summary>How samples are brought to what the classifier was trained on; null for <see cref="FeatureInput"/>.</summary>
    public FeatureInput? ClassifierInput { get; init; }

    /// <summary>Steps of the sampler (Heun's method, EDM's grid) that draws the samples of a teacher that is being fitted.</summary>
    [Range(1, 10_000)]
    public int SamplerSteps { get; init; } = 18;

    /// <summary>Samples in a picture.</summary>
    [Range(1, 100_000)]
    public int PictureSamples { get; init; } = 2000;

    /// <summary>Whether each snapshot also draws what teacher and fake score make of noised samples of the student.</summary>
    public bool DenoisedPicture { get; init; } = true;
}
