using System.Security.Cryptography;
using OnnxDistill.Data.Images;
using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Students;
using OnnxDistill.Teachers;

namespace OnnxDistill.Training;

/// <summary>A network that is trained: its template, where its parameters lie, its optimizer.</summary>
/// <param name="Role">Its name.</param>
/// <param name="Network">The template with the initial values.</param>
/// <param name="Layout">Where each parameter lies in the flat vector.</param>
/// <param name="Optimizer">Settings.</param>
/// <param name="HasEma">Whether an average of the weights is kept.</param>
/// <param name="OptimizerModel">The optimizer's graph.</param>
public sealed record TrainedNetwork(string Role, Network Network, FlatLayout Layout, OptimizerOptions Optimizer, bool HasEma, OnnxModel OptimizerModel)
{
    /// <summary>Whether its gradients are those of a scaled loss, see <see cref="LossScale"/>.</summary>
    public bool IsScaled { get; init; }
}

/// <summary>A recipe turned into graphs: everything that training needs, before any session exists.</summary>
public sealed class TrainingProgram
{
    private IReadOnlyList<TrainingGraph>? _partGraphs;
    private string? _imagesDigest;
    private readonly Dictionary<string, string> _fileDigests = new(StringComparer.Ordinal);

    private TrainingProgram(LoadedRecipe recipe, Denoiser? teacher, Denoiser? initial, IStudent student, DistillationTask task,
        BatchParts parts, IReadOnlyList<TrainedNetwork> networks, IReadOnlyList<TrainingGraph> graphs) =>
        (Recipe, Teacher, Initial, Student, Task, Parts, Networks, Graphs) = (recipe, teacher, initial, student, task, parts, networks, graphs);

    /// <summary>The recipe's real images, null when it names none. Disposing of them closes files, which the next reading opens again.</summary>
    public IImageSource? Images { get; private init; }

    /// <summary>The teacher's pairs that the method learns from; null when it needs none.</summary>
    public TeacherPairs? Pairs { get; private init; }

    /// <summary>Whether the result is a denoiser, a new teacher, instead of a generator.</summary>
    internal bool IsFit => IsFitting(Recipe.Method);

    /// <summary>Digest of the images, null without any: formed once, for every state asks for it.</summary>
    internal string? ImagesDigest => _imagesDigest ??= Images is null ? null : ImageFingerprint.Of(Images);

    /// <summary>Digest of a file that the method's options name: formed once too.</summary>
    internal string DigestOf(string file) => _fileDigests.TryGetValue(file, out var known) ? known
        : _fileDigests[file] = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));

    /// <summary>The recipe.</summary>
    public LoadedRecipe Recipe { get; }

    /// <summary>The teacher, null for fits.</summary>
    public Denoiser? Teacher { get; }

    /// <summary>The denoiser that auxiliary networks start from, and the student unless it is of another architecture; null where nothing is a denoiser.</summary>
    public Denoiser? Initial { get; }

    /// <summary>The student's architecture with its initial weights.</summary>
    public IStudent Student { get; }

    /// <summary>Sizes and scales.</summary>
    public DistillationTask Task { get; }

    /// <summary>How the batch is cut into lanes, rounds and ranks.</summary>
    public BatchParts Parts { get; }

    /// <summary>The trained networks, sorted by role.</summary>
    public IReadOnlyList<TrainedNetwork> Networks { get; }

    /// <summary>The phases' graphs in the order in which an iteration runs them.</summary>
    public IReadOnlyList<TrainingGraph> Graphs { get; }

    /// <summary>The network of that role.</summary>
    public TrainedNetwork Network(string role) => Networks.First(n => n.Role == role);

    /// <summary>Loads the teacher and builds every graph.</summary>
    /// <param name="loaded">The recipe.</param>
    /// <param name="ranks">The processes that share the work; null for this one alone.</param>
    /// <exception cref="RecipeException">Teacher and initial network do not fit each other or the method, or the batch cannot be cut.</exception>
    /// <exception cref="Graph.UnsupportedOpException">An operator cannot be differentiated.</exception>
    public static TrainingProgram Build(LoadedRecipe loaded, IRankGroup? ranks = null)
    {
        var (recipe, method) = (loaded.Recipe, loaded.Method);
        var teacher = recipe.Teacher.Length > 0 ? Denoiser.Load(recipe.Teacher) : null;
        if (teacher is null && method.NeedsTeacher)
            throw new RecipeException($"teacher: nothing found, expected the ONNX file of a denoiser; the method '{method.Name}' distils one.");
        var images = recipe.Data.Images.Length > 0 ? ImageSources.Open(recipe.Data) : null;
        var initial = InitialDenoiser(recipe, method, teacher, images);
        if (teacher is not null && initial is not null && (!teacher.DataShape.SequenceEqual(initial.DataShape) || teacher.Card.Labels != initial.Card.Labels))
        {
            throw new RecipeException($"initial: {initial.What} takes samples [{string.Join(", ", initial.DataShape)}] and {initial.Card.Labels} labels, "
                + $"the teacher {teacher.What} [{string.Join(", ", teacher.DataShape)}] and {teacher.Card.Labels}. Both have to agree.");
        }

        var (card, dataShape) = (teacher ?? initial) is { } denoiser ? (denoiser.Card, denoiser.DataShape) : LearnedData.Of(recipe, method, images);
        if (images is not null)
            RequireFit(images, (teacher ?? initial)?.What ?? "the student", card.Labels, dataShape);
        var sigmaInit = recipe.Training.SigmaInit * card.SigmaData / 0.5;
        sigmaInit = (teacher ?? initial)?.RoundSigma(sigmaInit) ?? sigmaInit;
        var student = LearnedData.Student(recipe, initial, sigmaInit, card, dataShape);
        if (method.Pairs is not null && !student.LatentShape.SequenceEqual(dataShape))
        {
            throw new RecipeException($"student: {student.What} takes latents [{string.Join(", ", student.LatentShape)}], but the pairs that '{method.Name}' regresses to begin with a sample's "
                + $"[{string.Join(", ", dataShape)}]. Set options.regressionWeight to 0, or take a denoiser as the student.");
        }
        var parameters = new[] { student.AtAnyBatch(), initial?.AtAnyBatch(), teacher?.AtAnyBatch() }.Max(static n => n?.ParameterCount ?? 0);
        var parts = BatchParts.Of(recipe.Training, method, parameters, ranks?.Count ?? 1, ranks?.Rank ?? 0, ranks is { Count: > 1 } ? ranks.ThreadShare : 0);
        var (task, frozen, templates) = Templates(method, teacher, initial, new DistillationTask(recipe.Training.Batch, dataShape, card.SigmaData, sigmaInit, card.Labels)
        {
            LatentShape = student.LatentShape,
            HasImages = images is not null,
            Mixture = recipe.Data.Mixture.Length > 0 ? Data.GaussianMixtureCsv.Read(recipe.Data.Mixture) : null,
            NullLabel = card.NullLabel,
            Levels = card.Levels,
            Guidance = recipe.Guidance,
            LabelShares = method.LabelsFollowData && images is { Labels: > 0 } ? Shares(images) : null,
        }, student);
        if (templates[Roles.Student].Parameters.Count == 0)
        {
            throw new RecipeException($"{(student is Generator ? "student" : "initial")}: {student.What} has no trainable weights (an exact mixture, say), so nothing can be trained. "
                + "Give 'initial' a denoiser with weights, or 'network' a built-in one.");
        }
        var networks = templates.Select(t => Describe(t.Key, t.Value, recipe.Training)).ToList();
        var graphs = BuildGraphs(loaded, parts, task, frozen, templates);
        if (images is not null && !graphs.Any(g => g.Feeds.Any(f => f.Kind == FeedKind.Image)))
            throw new RecipeException($"data.images: found '{images.Name}', but the method '{method.Name}' learns from no real images. Leave the group 'data' out.");
        if (task.Mixture is not null && !graphs.Any(g => g.Feeds.Any(f => f.Name == MixtureSamples.ModeFeed)))
            throw new RecipeException($"data.mixture: found '{recipe.Data.Mixture}', but the method '{method.Name}' learns from no real samples. Leave the group 'data' out.");
        return new TrainingProgram(loaded, teacher, initial, student, task, parts, networks, graphs)
        {
            Images = images,
            Pairs = method.Pairs is { } pairs ? new TeacherPairs(teacher!, pairs, recipe.Guidance, r => TrainingEngine.DeviceOf(recipe.Training, r) with { CudaGraph = false }) : null, // pairs need a teacher
        };
    }

    /// <summary>The phases' graphs for one part of the batch: the loss of each is the mean over its own samples.</summary>
    internal IReadOnlyList<TrainingGraph> PartGraphs() => _partGraphs ??= Parts.Count == 1 ? Graphs : BuildPartGraphs();

    private List<TrainingGraph> BuildPartGraphs()
    {
        var (task, frozen, templates) = Templates(Recipe.Method, Teacher, Initial, Task with { Batch = Parts.Samples }, Student);
        return BuildGraphs(Recipe, Parts, task, frozen, templates);
    }

    private static bool IsFitting(IDistillationMethod method) => method.Name == DenoisingScoreMatching.MethodName;

    // The frozen teacher and every trained network at the task's batch, with the taps that the method reads; the task that is returned knows them.
    internal static (DistillationTask Task, Network? Frozen, SortedDictionary<string, Network> Trained) Templates(IDistillationMethod method, Denoiser? teacher,
        Denoiser? initial, DistillationTask task, IStudent? student = null)
    {
        var made = new Dictionary<(Denoiser, string), (Network Network, IReadOnlyList<Feature> Features)>();
        (Network Network, IReadOnlyList<Feature> Features) Make(string role, Denoiser denoiser)
        {
            var tensors = method.Taps.Where(t => t.Role == role && (!t.IsOptional || denoiser.HasTensor(t.Tensor))).Select(t => t.Tensor).ToList();
            var key = (denoiser, string.Join('\n', tensors.Prepend($"{tensors.Count}")));
            return made.TryGetValue(key, out var known) ? known : made[key] = denoiser.AtBatch(task.Batch, tensors);
        }

        var frozen = teacher is null ? default : Make(Roles.Teacher, teacher);
        var generator = (student as Generator)?.AtBatch(task.Batch);
        var denoisers = method.Auxiliaries.Where(a => a.Build is null).Select(a => a.Role).Concat(generator is null ? new[] { Roles.Student } : [])
            .ToDictionary(r => r, r => Make(r, initial ?? throw new RecipeException($"initial: nothing found, expected a denoiser; the method '{method.Name}' starts {r} as one.")));
        task = task with
        {
            Features = denoisers.Append(KeyValuePair.Create(Roles.Teacher, frozen)).Where(d => d.Value.Features is { Count: > 0 }).ToDictionary(d => d.Key, d => d.Value.Features),
        };
        var trained = new SortedDictionary<string, Network>(denoisers.ToDictionary(d => d.Key, d => d.Value.Network), StringComparer.Ordinal);
        if (generator is not null)
            trained[Roles.Student] = generator;
        foreach (var auxiliary in method.Auxiliaries)
            trained[auxiliary.Role] = auxiliary.Build?.Invoke(task) ?? auxiliary.Adapt?.Invoke(trained[auxiliary.Role]) ?? trained[auxiliary.Role];
        return (task, frozen.Network, trained);
    }

    private static double[] Shares(IImageSource images)
    {
        var counts = new double[images.Labels];
        for (var i = 0; i < images.Count; i++)
            counts[images.Label(i)]++;
        return Array.ConvertAll(counts, c => c / images.Count);
    }

    private static List<TrainingGraph> BuildGraphs(LoadedRecipe recipe, BatchParts parts, DistillationTask task, Network? frozen,
        IReadOnlyDictionary<string, Network> templates)
    {
        var target = Device.Parse(recipe.Recipe.Training.Device).Kind == DeviceKind.Cpu ? GradientTarget.Cpu : GradientTarget.Gpu;
        List<TrainingGraph> graphs = [.. recipe.Method.Phases.Select(p => TrainingGraph.Build(p, task, frozen, templates, target, recipe.Recipe.Training.Precision))];
        var training = recipe.Recipe.Training;
        if (training.ActivationBudgetMb > 0)
        {
            // Lanes run side by side, each with its share of the budget.
            graphs.ForEach(g => g.LimitActivations((long)(training.ActivationBudgetMb * 1e6 / parts.Lanes)));
        }
        return graphs;
    }

    private static Denoiser? InitialDenoiser(Recipe recipe, IDistillationMethod method, Denoiser? teacher, IImageSource? images)
    {
        if (IsFitting(method) && LearnedData.HasOwnStudent(recipe))
            throw new RecipeException($"student and generator: found one of them, but the method '{method.Name}' makes a denoiser. Name it in 'network' or 'initial'.");
        if (recipe.Network is { } network)
        {
            var (card, dataShape) = teacher is null ? LearnedData.Of(recipe, method, images) : (teacher.Card, teacher.DataShape);
            return NetworkCatalog.Build(network, card, dataShape);
        }
        return recipe.Initial.Length > 0 ? Denoiser.Load(recipe.Initial) : teacher is not null || LearnedData.HasOwnStudent(recipe) ? teacher
            : throw new RecipeException($"network: nothing found, expected a built-in network{(IsFitting(method) ? " to fit" : " (or 'generator', or 'student')")}, or 'initial' with a file.");
    }

    private static void RequireFit(IImageSource images, string what, int labels, long[] dataShape)
    {
        if (!images.Dims.Select(d => (long)d).SequenceEqual(dataShape) || images.Labels != labels)
        {
            throw new RecipeException($"data.images: '{images.Name}' holds images [{string.Join(", ", images.Dims)}] of {images.Labels} classes, {what} takes "
                + $"[{string.Join(", ", dataShape)}] of {labels}. Both have to agree.");
        }
    }

    private static TrainedNetwork Describe(string role, Network template, TrainingOptions training)
    {
        var layout = new FlatLayout(template.Parameters.Select(p => (p.Name, p.Constant!.Dims)));
        var optimizer = training.OptimizerOf(role);
        var ema = role == Roles.Student;
        var scaled = training.Precision != Precision.Float32;
        return new TrainedNetwork(role, template, layout, optimizer, ema, OptimizerGraph.Build(layout.Length, optimizer, ema, scaled: scaled)) { IsScaled = scaled };
    }
}
