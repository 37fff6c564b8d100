using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Students;
using OnnxDistill.Teachers;
using OnnxDistill.Teachers.Conventions;

namespace OnnxDistill.Methods;

/// <summary>
/// What a method sees while it writes a loss: the builder, the networks by role, and random inputs. Everything it emits becomes one
/// training graph of one phase.
/// </summary>
public sealed class LossContext
{
    private readonly IReadOnlyDictionary<string, BoundNetwork> _networks;
    private readonly List<Feed> _feeds = [];
    private readonly List<CarriedValue> _carried = [];
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

    /// <summary>Whether every network is in inference mode, whatever the loss asks for: a loss that is only looked at.</summary>
    internal bool IsEvaluation { get; init; }

    /// <summary>The inputs declared so far, in order.</summary>
    public IReadOnlyList<Feed> Feeds => _feeds;

    /// <summary>Standard normal numbers, one for each number of a batch of samples.</summary>
    public Value NormalLikeBatch(string name) => Declare(new Feed(name, FeedKind.Normal, Task.BatchShape.Sizes()));

    /// <summary>The student's latent, standard normal numbers.</summary>
    public Value Latent(string name = "z") => Normal(name, [Task.Batch, .. Task.LatentShape]);

    /// <summary>A scalar that follows the samples seen.</summary>
    public Value Ramp(string name, Ramp ramp) => Declare(new Feed(name, FeedKind.Ramp, []) { Ramp = ramp });

    /// <summary>A small vector that the phase keeps from update to update: what the last one handed to <see cref="Carry"/>.</summary>
    /// <param name="name">Its name, unique within the phase.</param>
    /// <param name="initial">What the first update finds.</param>
    public Value Carried(string name, TensorData initial)
    {
        _carried.Add(new CarriedValue(name, initial));
        return B.Input(CarriedValue.InputName(name), initial.Type, initial.Shape);
    }

    /// <summary>What the next update finds under that name.</summary>
    public void Carry(string name, Value next) => _carried[_carried.FindIndex(c => c.Name == name)].Next = B.StopGradient(next);

    /// <summary>What is kept from update to update, in the order in which it was asked for.</summary>
    public IReadOnlyList<CarriedValue> CarriedValues => _carried;

    /// <summary>One standard normal number a sample, [N].</summary>
    public Value NormalPerSample(string name) => Declare(new Feed(name, FeedKind.Normal, [Task.Batch]));

    /// <summary>One uniform number in [0, 1) a sample, [N].</summary>
    public Value UniformPerSample(string name) => Declare(new Feed(name, FeedKind.Uniform, [Task.Batch]));

    /// <summary>Uniform numbers in [0, 1) of a shape that begins with the batch, so that parts of a batch draw what the whole would.</summary>
    public Value Uniform(string name, params long[] dims) => Declare(new Feed(name, FeedKind.Uniform, dims));

    /// <summary>Standard normal numbers of a shape that begins with the batch.</summary>
    public Value Normal(string name, params long[] dims) => Declare(new Feed(name, FeedKind.Normal, dims));

    /// <summary>A class a sample, [N]; null when the teacher takes none. Uniform over the classes, or with their shares among the real images.</summary>
    public Value? Label(string name = "label")
    {
        if (Task.Labels == 0)
            return null;
        if (Task.LabelShares is not { } shares)
            return Declare(new Feed(name, FeedKind.Label, [Task.Batch], Task.Labels));
        // Class i has the stretch that begins where those of the classes before it end.
        var ends = new double[shares.Count - 1];
        for (var i = 0; i < ends.Length; i++)
            ends[i] = (i == 0 ? 0 : ends[i - 1]) + shares[i];
        return B.CountReached(UniformPerSample(name), ends);
    }

    /// <summary>The index of a component, uniform over [0, bound), [N].</summary>
    public Value Index(string name, long bound) => Declare(new Feed(name, FeedKind.Label, [Task.Batch], bound));

    /// <summary>The phase's batch of real samples with their classes [N]; null when the networks take none.</summary>
    /// <exception cref="RecipeException">The recipe names no images and no mixture.</exception>
    public (Value Samples, Value? Label) RealSamples()
    {
        if (Task.Mixture is not null)
            return (MixtureSamples.Draw(this, Task.Mixture), null);
        if (!Task.HasImages)
            throw new RecipeException("data.images: nothing found, expected real images (or data.mixture, for points); this method learns from them.");
        var images = Declare(new Feed("real", FeedKind.Image, Task.BatchShape.Sizes()));
        return (images, Task.Labels == 0 ? null : Declare(new Feed("real_label", FeedKind.ImageLabel, [Task.Batch], Task.Labels)));
    }

    /// <summary>The phase's batch of teacher pairs: noise, what the teacher's sampler makes of it, classes [N] (null for an unconditional teacher).</summary>
    /// <exception cref="RecipeException">The student's latents are not the teacher's.</exception>
    public (Value Latent, Value Sample, Value? Label) Pairs()
    {
        if (!Task.LatentShape.SequenceEqual(Task.DataShape))
        {
            throw new RecipeException($"options.pairs: the student takes latents [{string.Join(", ", Task.LatentShape)}], but pairs are of the teacher's noise [{string.Join(", ", Task.DataShape)}]. "
                + "Learn from none, or take a student that starts as a denoiser.");
        }
        var dims = Task.BatchShape.Sizes();
        return (Declare(new Feed("pair_z", FeedKind.PairLatent, dims)), Declare(new Feed("pair_y", FeedKind.PairSample, dims)),
            Task.Labels == 0 ? null : Declare(new Feed("pair_label", FeedKind.PairLabel, [Task.Batch], Task.Labels)));
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
    public Value Denoise(string role, Value x, Value sigma, Value? label, string? masks = null, Value? augment = null) =>
        DenoiseTapped(role, x, sigma, label, masks, augment).Denoised;

    /// <summary>D(x; sigma) as <see cref="Denoise"/> has it, with the activations on the way that the method's taps name. What a loss does not use of either is not
    /// computed.</summary>
    public (Value Denoised, IReadOnlyList<Value> Features) DenoiseTapped(string role, Value x, Value sigma, Value? label, string? masks = null, Value? augment = null)
    {
        var (network, parameters) = Find(role);
        if (augment is not null && !network.TakesAugment)
        {
            throw new RecipeException($"augment: {network.What} ({role}) cannot be told how its samples were augmented, so it would learn the augmented ones as if they were real. "
                + "Take a built-in network with \"augment\": true, or set the probability to 0.");
        }
        var outputs = network.DenoiseAll(B, role, x, sigma, label, parameters, Mode(masks), augment);
        var features = Task.Features.GetValueOrDefault(role, []);
        return (outputs[Denoiser.Denoised], [.. features.Select(f => outputs[f.Tensor])]);
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

    /// <summary>r = D_phi(x; sigma), the teacher; guided when the task asks for it: D_none + s (D_class - D_none) (Ho and Salimans 2022, arXiv 2207.12598).</summary>
    public Value Teacher(Value x, Value sigma, Value? label, string? masks = null) => Teacher(x, sigma, label, out _, masks);

    /// <summary>The same, with the activations that the method taps: those of the conditional evaluation.</summary>
    public Value Teacher(Value x, Value sigma, Value? label, out IReadOnlyList<Value> features, string? masks = null)
    {
        (var denoised, features) = DenoiseTapped(Roles.Teacher, x, sigma, label, masks);
        if (Task.Guidance == 1)
            return denoised;
        if (label is null || Task.NullLabel < 0)
            throw new RecipeException(FormattableString.Invariant($"guidance: found {Task.Guidance}, but the teacher has no label for \"no class\". Leave it at 1, or import the teacher with --null-label."));
        var none = B.Constant(TensorData.Of([.. Enumerable.Repeat((long)Task.NullLabel, Task.Batch)], Task.Batch));
        var unconditional = Denoise(Roles.Teacher, x, sigma, none, masks);
        return B.Add(unconditional, B.Mul(B.Sub(denoised, unconditional), Task.Guidance));
    }

    /// <summary>f = D_psi(x; sigma), the fake score.</summary>
    public Value FakeScore(Value x, Value sigma, Value? label, string? masks = null) => Denoise(Roles.FakeScore, x, sigma, label, masks);

    /// <summary>x = G_theta(z), the one-step student; D_theta(sigma_init z; sigma_init) where it is a denoiser.</summary>
    public Value Student(Value z, Value? label, string? masks = null) => Generator.Is(Find(Roles.Student).Network)
        ? Apply(Roles.Student, Generator.Inputs(z, label), masks).Values.Single()
        : Denoise(Roles.Student, B.Mul(z, Task.SigmaInit), SigmaInit(), label, masks);

    /// <summary>A batch of the student's samples with their classes, for whatever learns from them: the student is in inference mode and gets no gradient.</summary>
    public (Value Samples, Value? Label) StudentSamples()
    {
        var label = Label();
        return (B.StopGradient(Student(Latent(), label)), label);
    }

    /// <summary>The nearest levels [N] that the teacher knows: what is added and what is told have to agree (methods.md section 2).</summary>
    public Value Rounded(Value sigma) => Task.Levels is { } levels ? B.Gather(B.Row(levels.Sigmas), B.PlaceOfNearest(sigma, levels.Sigmas), 0) : sigma;

    /// <summary>x + sigma epsilon.</summary>
    public Value AddNoise(Value x, Value sigma, Value epsilon) => B.Add(x, B.Mul(B.PerSample(sigma, x.Shape.Rank), epsilon));

    /// <summary>The sum of one number a sample, divided by the batch: the scalar that is minimised.</summary>
    public Value BatchMean(Value perSample) => B.Div(B.ReduceSum(perSample, keepDims: false), Task.Batch);

    private BoundNetwork Find(string role) => _networks.TryGetValue(role, out var found) ? found
        : throw new KeyNotFoundException($"There is no network in the role '{role}'; there are: {string.Join(", ", _networks.Keys)}.");

    private Func<Node, IReadOnlyList<Value?>, Value?> Mode(string? masks) => masks is null || IsEvaluation ? DropoutMasks.Inference : _masks.Training(masks);

    private Value SigmaInit() => B.Constant(TensorData.Of([.. Enumerable.Repeat((float)Task.SigmaInit, Task.Batch)], Task.Batch));

    private Value Declare(Feed feed)
    {
        _feeds.Add(feed);
        return B.Input(feed.Name, feed.Type, Shape.Of(feed.Dims));
    }
}
