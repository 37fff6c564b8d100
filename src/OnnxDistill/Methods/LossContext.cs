using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Teachers;
using OnnxDistill.Teachers.Conventions;

namespace OnnxDistill.Methods;

/// <summary>How an input of a training graph is filled; part of every artifact's manifest.</summary>
public enum FeedKind
{
    /// <summary>Independent standard normal numbers.</summary>
    Normal,
    /// <summary>Independent uniform numbers in [0, 1).</summary>
    Uniform,
    /// <summary>Independent class indices, uniform over [0, bound).</summary>
    Label,
    /// <summary>Real images in [-1, 1], the phase's batch of the recipe's data.</summary>
    Image,
    /// <summary>The classes of those images.</summary>
    ImageLabel,
}

/// <summary>An input of a training graph that every update fills anew.</summary>
/// <param name="Name">Name of the graph input, unique within the phase; with the phase's name it also names the random stream.</param>
/// <param name="Kind">Distribution.</param>
/// <param name="Dims">Shape.</param>
/// <param name="Bound">Number of classes, for labels.</param>
public sealed record Feed(string Name, FeedKind Kind, long[] Dims, long Bound = 0)
{
    /// <summary>Type of its numbers.</summary>
    public ElementType Type => Kind is FeedKind.Label or FeedKind.ImageLabel ? ElementType.Int64 : ElementType.Float32;
}

/// <summary>What is given to a method: sizes and scales of the task.</summary>
/// <param name="Batch">Samples a step.</param>
/// <param name="DataShape">Extents of one sample.</param>
/// <param name="SigmaData">Standard deviation of the data; published noise levels are in units of 0.5 (design.md decision 9).</param>
/// <param name="SigmaInit">Noise level at which the student network turns noise into a sample, already scaled.</param>
/// <param name="Labels">Number of classes, 0 for none.</param>
public sealed record DistillationTask(int Batch, IReadOnlyList<long> DataShape, double SigmaData, double SigmaInit, int Labels)
{
    /// <summary>Whether the recipe names real images.</summary>
    public bool HasImages { get; init; }

    /// <summary>The label that means "no class", -1 when there is none.</summary>
    public int NullLabel { get; init; } = -1;

    /// <summary>The only noise levels that the teacher knows; null when every level is one.</summary>
    public NoiseLevels? Levels { get; init; }

    /// <summary>Factor from the papers' noise levels (sigma_data 0.5) to this teacher's.</summary>
    public double NoiseScale => SigmaData / 0.5;

    /// <summary>Shape of a batch of samples.</summary>
    public Shape BatchShape => Shape.Of([Batch, .. DataShape]);
}

/// <summary>
/// What a method sees while it writes a loss: the builder, the networks by role, and random inputs. Everything it emits becomes one
/// training graph of one phase.
/// </summary>
public sealed class LossContext
{
    private readonly IReadOnlyDictionary<string, BoundNetwork> _networks;
    private readonly List<Feed> _feeds = [];
    private readonly DropoutMasks _masks;

    /// <summary>A network with the values that stand for its parameters in this graph.</summary>
    /// <param name="Network">The template.</param>
    /// <param name="Parameters">Graph inputs (or nothing, for a frozen network) by parameter name.</param>
    public sealed record BoundNetwork(Network Network, IReadOnlyDictionary<string, Value> Parameters);

    /// <summary>A context over a builder.</summary>
    public LossContext(GraphBuilder builder, DistillationTask task, IReadOnlyDictionary<string, BoundNetwork> networks) =>
        (B, Task, _networks, _masks) = (builder, task, networks, new DropoutMasks(this));

    /// <summary>The builder; one letter, because every line of a formula starts with it.</summary>
    public GraphBuilder B { get; }

    /// <summary>Sizes and scales.</summary>
    public DistillationTask Task { get; }

    /// <summary>The inputs declared so far, in order.</summary>
    public IReadOnlyList<Feed> Feeds => _feeds;

    /// <summary>Standard normal numbers, one for each number of a batch of samples.</summary>
    public Value NormalLikeBatch(string name) => Declare(new Feed(name, FeedKind.Normal, Task.BatchShape.Sizes()));

    /// <summary>One standard normal number a sample, [N].</summary>
    public Value NormalPerSample(string name) => Declare(new Feed(name, FeedKind.Normal, [Task.Batch]));

    /// <summary>One uniform number in [0, 1) a sample, [N].</summary>
    public Value UniformPerSample(string name) => Declare(new Feed(name, FeedKind.Uniform, [Task.Batch]));

    /// <summary>Uniform numbers in [0, 1) of a shape that begins with the batch, so that parts of a batch draw what the whole would.</summary>
    public Value Uniform(string name, params long[] dims) => Declare(new Feed(name, FeedKind.Uniform, dims));

    /// <summary>Standard normal numbers of a shape that begins with the batch.</summary>
    public Value Normal(string name, params long[] dims) => Declare(new Feed(name, FeedKind.Normal, dims));

    /// <summary>A class a sample, uniform over the classes, [N]; null when the teacher takes none.</summary>
    public Value? Label(string name = "label") => Task.Labels == 0 ? null : Declare(new Feed(name, FeedKind.Label, [Task.Batch], Task.Labels));

    /// <summary>The index of a component, uniform over [0, bound), [N].</summary>
    public Value Index(string name, long bound) => Declare(new Feed(name, FeedKind.Label, [Task.Batch], bound));

    /// <summary>The phase's batch of real images with their classes [N]; null when the networks take none.</summary>
    /// <exception cref="RecipeException">The recipe names no images.</exception>
    public (Value Images, Value? Label) RealImages()
    {
        if (!Task.HasImages)
            throw new RecipeException("data.images: nothing found, expected real images; this method learns from them.");
        var images = Declare(new Feed("real", FeedKind.Image, Task.BatchShape.Sizes()));
        return (images, Task.Labels == 0 ? null : Declare(new Feed("real_label", FeedKind.ImageLabel, [Task.Batch], Task.Labels)));
    }

    /// <summary>D(x; sigma) of the denoiser in that role.</summary>
    /// <param name="role">The network.</param>
    /// <param name="x">Noisy samples [N, ...].</param>
    /// <param name="sigma">Their noise levels [N].</param>
    /// <param name="label">Their classes [N].</param>
    /// <param name="masks">For a network in training mode the set of its dropout masks: calls with the same set drop the same numbers. Null for a network
    /// in inference mode, which drops nothing.</param>
    /// <param name="augment">How the samples were augmented, [N, 9]; null for samples as they are.</param>
    /// <exception cref="KeyNotFoundException">The method did not declare such a network.</exception>
    /// <exception cref="RecipeException">The samples were augmented, and the network cannot be told so.</exception>
    public Value Denoise(string role, Value x, Value sigma, Value? label, string? masks = null, Value? augment = null)
    {
        var (network, parameters) = Find(role);
        if (augment is not null && !network.TakesAugment)
        {
            throw new RecipeException($"augment: {network.What} ({role}) cannot be told how its samples were augmented, so it would learn the augmented ones as if they were real. "
                + "Take a built-in network with \"augment\": true, or set the probability to 0.");
        }
        return network.Denoise(B, role, x, sigma, label, parameters, Mode(masks), augment);
    }

    /// <summary>The outputs, by name, of a network that is no denoiser: a posterior, a discriminator.</summary>
    /// <param name="role">The network.</param>
    /// <param name="inputs">Its inputs by name.</param>
    /// <param name="masks">As in <see cref="Denoise"/>.</param>
    /// <exception cref="KeyNotFoundException">The method did not declare such a network.</exception>
    public IReadOnlyDictionary<string, Value> Apply(string role, IReadOnlyDictionary<string, Value> inputs, string? masks = null)
    {
        var (network, parameters) = Find(role);
        return network.Apply(B, role, inputs, parameters, Mode(masks));
    }

    /// <summary>r = D_phi(x; sigma), the teacher.</summary>
    public Value Teacher(Value x, Value sigma, Value? label, string? masks = null) => Denoise(Roles.Teacher, x, sigma, label, masks);

    /// <summary>f = D_psi(x; sigma), the fake score.</summary>
    public Value FakeScore(Value x, Value sigma, Value? label, string? masks = null) => Denoise(Roles.FakeScore, x, sigma, label, masks);

    /// <summary>x = G_theta(z) = D_theta(sigma_init z; sigma_init), the one-step student.</summary>
    public Value Student(Value z, Value? label, string? masks = null) => Denoise(Roles.Student, B.Mul(z, Task.SigmaInit), SigmaInit(), label, masks);

    /// <summary>The nearest levels [N] that the teacher knows: what is added and what is told have to agree (methods.md section 2).</summary>
    public Value Rounded(Value sigma) => Task.Levels is { } levels ? B.Gather(B.Row(levels.Sigmas), B.PlaceOfNearest(sigma, levels.Sigmas), 0) : sigma;

    /// <summary>x + sigma epsilon.</summary>
    public Value AddNoise(Value x, Value sigma, Value epsilon) => B.Add(x, B.Mul(B.PerSample(sigma, x.Shape.Rank), epsilon));

    /// <summary>The sum of one number a sample, divided by the batch: the scalar that is minimised.</summary>
    public Value BatchMean(Value perSample) => B.Div(B.ReduceSum(perSample, keepDims: false), Task.Batch);

    private BoundNetwork Find(string role) => _networks.TryGetValue(role, out var found) ? found
        : throw new KeyNotFoundException($"There is no network in the role '{role}'; there are: {string.Join(", ", _networks.Keys)}.");

    private Func<Node, IReadOnlyList<Value?>, Value?> Mode(string? masks) => masks is null ? DropoutMasks.Inference : _masks.Training(masks);

    private Value SigmaInit() => B.Constant(TensorData.Of([.. Enumerable.Repeat((float)Task.SigmaInit, Task.Batch)], Task.Batch));

    private Value Declare(Feed feed)
    {
        _feeds.Add(feed);
        return B.Input(feed.Name, feed.Type, Shape.Of(feed.Dims));
    }
}

/// <summary>Names of the networks that methods speak of.</summary>
public static class Roles
{
    /// <summary>The frozen pretrained denoiser.</summary>
    public const string Teacher = "teacher";
    /// <summary>The one-step generator.</summary>
    public const string Student = "student";
    /// <summary>The denoiser of the student's own samples.</summary>
    public const string FakeScore = "fake_score";
}
