using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Normalization;
using OnnxDistill.Teachers;

namespace OnnxDistill.Networks;

/// <summary>A network as a template: placed in any number of graphs, each time with parameters of the caller's choice.</summary>
public sealed class Network
{
    /// <summary>Name of the initializer that a network with augmentation labels has for them, [1, 9]: an input that is zeros, "as it is", unless a graph
    /// binds it to the labels of its batch. So the file's inputs are those of any denoiser, and the layer behind it keeps its weights.</summary>
    public const string Augment = "augment";

    /// <summary>Number of augmentation labels, EDM's: mirrored left to right, top to bottom; scale; cosine of the rotation less 1, sine; stretch along two
    /// axes; movement along two axes.</summary>
    public const int AugmentLabels = 9;

    /// <summary>A network over a model.</summary>
    /// <param name="model">The template.</param>
    /// <param name="what">What error messages call it.</param>
    /// <param name="source">The model as it lies in its file: its float initializers of rank 1 or more are the parameters, unless they
    /// decide a size (an interpolation's scales). Folding makes further initializers of tables (rotary angles, time frequencies), which are not trained.</param>
    public Network(OnnxModel model, string what, OnnxModel source)
    {
        (Model, What) = (model, what);
        var names = source.Graph.Initializers.Where(IsParameter).Select(p => p.Name).Except(ShapeFeeders.Find(source.Graph)).Except(RunningStatistics(source.Graph)).Except([Augment])
            .ToHashSet(StringComparer.Ordinal);
        Parameters = [.. model.Graph.Initializers.Where(i => names.Contains(i.Name))];
    }

    /// <summary>A network of which only those initializers are trained; the others stay the constants that they are.</summary>
    internal Network(OnnxModel model, string what, IEnumerable<string> parameters)
    {
        (Model, What) = (model, what);
        var names = parameters.ToHashSet(StringComparer.Ordinal);
        Parameters = [.. model.Graph.Initializers.Where(i => names.Contains(i.Name))];
    }

    /// <summary>The template.</summary>
    public OnnxModel Model { get; }

    /// <summary>What error messages call it.</summary>
    public string What { get; }

    /// <summary>The parameters with their initial values, in the order of the file.</summary>
    public IReadOnlyList<Value> Parameters { get; }

    /// <summary>Whether the network can be told how its samples were augmented.</summary>
    public bool TakesAugment => Model.Graph.Initializers.Exists(i => i.Name == Augment);

    /// <summary>Number of trainable numbers.</summary>
    public long ParameterCount => Parameters.Sum(p => p.Constant!.ElementCount);

    /// <summary>Emits the network.</summary>
    /// <param name="builder">Receives the nodes.</param>
    /// <param name="scope">Prefix of their names.</param>
    /// <param name="inputs">A value for every input, by name.</param>
    /// <param name="parameters">Values for parameters by name; one left out stays the constant it is in the template.</param>
    /// <param name="replace">What stands for a node instead of its copy, see <see cref="GraphInliner.Inline"/>.</param>
    /// <returns>The outputs by name.</returns>
    public IReadOnlyDictionary<string, Value> Apply(GraphBuilder builder, string scope, IReadOnlyDictionary<string, Value> inputs,
        IReadOnlyDictionary<string, Value> parameters, Func<Node, IReadOnlyList<Value?>, Value?>? replace = null)
    {
        var bound = new Dictionary<string, Value>(parameters, StringComparer.Ordinal);
        foreach (var (name, value) in inputs)
            bound[name] = value;
        var outputs = builder.Inline(Model.Graph, scope, bound, replace);
        return Model.Graph.Outputs.Zip(outputs).ToDictionary(o => o.First.Name, o => o.Second, StringComparer.Ordinal);
    }

    /// <summary>Emits a denoiser: the denoised samples of noisy ones [N, ...] at noise levels [N], with classes [N] for a conditional one, and with
    /// augmentation labels [N, 9] where the samples were augmented.</summary>
    public Value Denoise(GraphBuilder builder, string scope, Value x, Value sigma, Value? label, IReadOnlyDictionary<string, Value> parameters,
        Func<Node, IReadOnlyList<Value?>, Value?>? replace = null, Value? augment = null) =>
        DenoiseAll(builder, scope, x, sigma, label, parameters, replace, augment)[Denoiser.Denoised];

    /// <summary>As <see cref="Denoise"/>, with every output by name: the tapped activations too.</summary>
    public IReadOnlyDictionary<string, Value> DenoiseAll(GraphBuilder builder, string scope, Value x, Value sigma, Value? label, IReadOnlyDictionary<string, Value> parameters,
        Func<Node, IReadOnlyList<Value?>, Value?>? replace = null, Value? augment = null)
    {
        var inputs = new Dictionary<string, Value>(StringComparer.Ordinal) { [Denoiser.X] = x, [Denoiser.Sigma] = sigma };
        if (label is not null)
            inputs[Denoiser.Label] = label;
        if (augment is not null)
            inputs[Augment] = augment;
        return Apply(builder, scope, inputs, parameters, replace);
    }

    // Means and variances of batches long gone (BatchNormalization in inference form) are measured, not trained.
    private static IEnumerable<string> RunningStatistics(OnnxGraph graph) =>
        graph.Nodes.Where(static n => n.OpType == "BatchNormalization").SelectMany(static n => n.Inputs.Skip(3)).OfType<Value>().Select(static v => v.Name);

    // Scalars and what the builder put under its path of constants are numbers of a formula, not weights.
    private static bool IsParameter(Value value) =>
        value.Constant is { Type: ElementType.Float32, Dims.Length: > 0 } && !value.Name.Split('/').Contains(GraphBuilder.ConstantPath);
}
