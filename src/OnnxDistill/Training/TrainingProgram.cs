using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using OnnxDistill.Data.Images;
using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Runtime.Sessions;
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

    private TrainingProgram(LoadedRecipe recipe, Denoiser? teacher, Denoiser initial, DistillationTask task,
        BatchParts parts, IReadOnlyList<TrainedNetwork> networks, IReadOnlyList<TrainingGraph> graphs) =>
        (Recipe, Teacher, Initial, Task, Parts, Networks, Graphs) = (recipe, teacher, initial, task, parts, networks, graphs);

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

    /// <summary>The denoiser that student and auxiliary networks start from.</summary>
    public Denoiser Initial { get; }

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
        if (teacher is not null && (!teacher.DataShape.SequenceEqual(initial.DataShape) || teacher.Card.Labels != initial.Card.Labels))
        {
            throw new RecipeException($"initial: {initial.What} takes samples [{string.Join(", ", initial.DataShape)}] and {initial.Card.Labels} labels, "
                + $"the teacher {teacher.What} [{string.Join(", ", teacher.DataShape)}] and {teacher.Card.Labels}. Both have to agree.");
        }

        if (images is not null)
            RequireFit(images, initial);
        var parameters = new[] { initial, teacher ?? initial }.Distinct().Max(static d => d.AtAnyBatch().ParameterCount);
        var parts = BatchParts.Of(recipe.Training, method, parameters, ranks?.Count ?? 1, ranks?.Rank ?? 0, ranks is { Count: > 1 } ? ranks.ThreadShare : 0);
        var card = (teacher ?? initial).Card;
        var batch = recipe.Training.Batch;
        var sigmaInit = (teacher ?? initial).RoundSigma(recipe.Training.SigmaInit * card.SigmaData / 0.5);
        var (task, frozen, templates) = Templates(method, teacher, initial, new DistillationTask(batch, initial.DataShape, card.SigmaData, sigmaInit, card.Labels)
        {
            HasImages = images is not null,
            Mixture = recipe.Data.Mixture.Length > 0 ? Data.GaussianMixtureCsv.Read(recipe.Data.Mixture) : null,
            NullLabel = card.NullLabel,
            Levels = card.Levels,
            Guidance = recipe.Guidance,
            LabelShares = method.LabelsFollowData && images is { Labels: > 0 } ? Shares(images) : null,
        });
        if (templates[Roles.Student].Parameters.Count == 0)
        {
            throw new RecipeException($"initial: {initial.What} has no trainable weights (an exact mixture, say), so nothing can be trained. "
                + "Give 'initial' a denoiser with weights, or 'network' a built-in one.");
        }
        var networks = templates.Select(t => Describe(t.Key, t.Value, recipe.Training)).ToList();
        var graphs = BuildGraphs(loaded, parts, task, frozen, templates);
        if (images is not null && !graphs.Any(g => g.Feeds.Any(f => f.Kind == FeedKind.Image)))
            throw new RecipeException($"data.images: found '{images.Name}', but the method '{method.Name}' learns from no real images. Leave the group 'data' out.");
        if (task.Mixture is not null && !graphs.Any(g => g.Feeds.Any(f => f.Name == MixtureSamples.ModeFeed)))
            throw new RecipeException($"data.mixture: found '{recipe.Data.Mixture}', but the method '{method.Name}' learns from no real samples. Leave the group 'data' out.");
        return new TrainingProgram(loaded, teacher, initial, task, parts, networks, graphs)
        {
            Images = images,
            Pairs = method.Pairs is { } pairs ? new TeacherPairs(teacher!, pairs, recipe.Guidance, r => TrainingEngine.DeviceOf(recipe.Training, r) with { CudaGraph = false }) : null, // pairs need a teacher
        };
    }

    /// <summary>The phases' graphs for one part of the batch: the loss of each is the mean over its own samples.</summary>
    internal IReadOnlyList<TrainingGraph> PartGraphs() => _partGraphs ??= Parts.Count == 1 ? Graphs : BuildPartGraphs();

    private List<TrainingGraph> BuildPartGraphs()
    {
        var (task, frozen, templates) = Templates(Recipe.Method, Teacher, Initial, Task with { Batch = Parts.Samples });
        return BuildGraphs(Recipe, Parts, task, frozen, templates);
    }

    private static bool IsFitting(IDistillationMethod method) => method.Name == DenoisingScoreMatching.MethodName;

    // The frozen teacher and every trained network at the task's batch, with the taps that the method reads; the task that is returned knows them.
    internal static (DistillationTask Task, Network? Frozen, SortedDictionary<string, Network> Trained) Templates(IDistillationMethod method, Denoiser? teacher,
        Denoiser initial, DistillationTask task)
    {
        var made = new Dictionary<(Denoiser, string), (Network Network, IReadOnlyList<Feature> Features)>();
        (Network Network, IReadOnlyList<Feature> Features) Make(string role, Denoiser denoiser)
        {
            var tensors = method.Taps.Where(t => t.Role == role && (!t.IsOptional || denoiser.HasTensor(t.Tensor))).Select(t => t.Tensor).ToList();
            var key = (denoiser, string.Join('\n', tensors.Prepend($"{tensors.Count}")));
            return made.TryGetValue(key, out var known) ? known : made[key] = denoiser.AtBatch(task.Batch, tensors);
        }

        var frozen = teacher is null ? default : Make(Roles.Teacher, teacher);
        var denoisers = method.Auxiliaries.Where(a => a.Build is null).Select(a => a.Role).Append(Roles.Student).ToDictionary(r => r, r => Make(r, initial));
        task = task with
        {
            Features = denoisers.Append(KeyValuePair.Create(Roles.Teacher, frozen)).Where(d => d.Value.Features is { Count: > 0 }).ToDictionary(d => d.Key, d => d.Value.Features),
        };
        var trained = new SortedDictionary<string, Network>(denoisers.ToDictionary(d => d.Key, d => d.Value.Network), StringComparer.Ordinal);
        foreach (var (role, build) in method.Auxiliaries.Where(a => a.Build is not null))
            trained[role] = build!(task); // those without were made above
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

    private static Denoiser InitialDenoiser(Recipe recipe, IDistillationMethod method, Denoiser? teacher, IImageSource? images)
    {
        if (recipe.Network is { } network)
            return teacher is null ? FreshFit(recipe, network, method, images) : NetworkCatalog.Build(network, teacher.Card, teacher.DataShape);
        return recipe.Initial.Length > 0 ? Denoiser.Load(recipe.Initial)
            : teacher ?? throw new RecipeException("network: nothing found, expected a built-in network to fit, or 'initial' with a file.");
    }

    private static Denoiser FreshFit(Recipe recipe, JsonObject network, IDistillationMethod method, IImageSource? images)
    {
        var options = (DenoisingScoreMatchingOptions)method.Options;
        if (images is null && recipe.Data.Mixture.Length == 0)
            throw new RecipeException("data.images and data.mixture: found neither, expected one of them to learn from.");
        if (images is null)
        {
            var mixture = Data.GaussianMixtureCsv.Read(recipe.Data.Mixture);
            return NetworkCatalog.Build(network, MixtureTeacher.Card(mixture, $"fitted to {Path.GetFileName(recipe.Data.Mixture)}"), mixture.Dimension);
        }
        if (options.LabelDropout > 0 && images.Labels == 0)
            throw new RecipeException(string.Create(CultureInfo.InvariantCulture, $"options.labelDropout: found {options.LabelDropout}, but '{images.Name}' has no classes. Name them in data.labels, or leave it out."));
        var card = new TeacherCard
        {
            SigmaData = recipe.Data.SigmaData,
            Labels = images.Labels,
            NullLabel = options.LabelDropout > 0 ? images.Labels : -1,
            Licence = recipe.Data.Licence,
            Source = $"fitted to {images.Name}",
        };
        return NetworkCatalog.Build(network, card, [.. images.Dims.Select(d => (long)d)]);
    }

    private static void RequireFit(IImageSource images, Denoiser network)
    {
        if (!images.Dims.Select(d => (long)d).SequenceEqual(network.DataShape) || images.Labels != network.Card.Labels)
        {
            throw new RecipeException($"data.images: '{images.Name}' holds images [{string.Join(", ", images.Dims)}] of {images.Labels} classes, {network.What} takes "
                + $"[{string.Join(", ", network.DataShape)}] of {network.Card.Labels}. Both have to agree.");
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
