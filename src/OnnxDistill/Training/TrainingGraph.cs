using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Graph.Passes.MixedPrecision;
using OnnxDistill.Graph.Passes.Recomputation;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Recipes;

namespace OnnxDistill.Training;

/// <summary>One phase as a graph: random inputs and parameters in, the loss and the gradients of the trained networks out.</summary>
public sealed class TrainingGraph
{
    /// <summary>Name of the scalar output.</summary>
    public const string LossOutput = "loss";

    /// <summary>Name of the scalar input, in fp16 graphs, that the loss is multiplied by before it is differentiated; the output is without it.</summary>
    public const string LossScaleInput = "loss_scale";

    private TrainingGraph(TrainingPhase phase, GraphBuilder builder, IReadOnlyList<Feed> feeds, IReadOnlyList<string> readsFrom,
        IReadOnlyDictionary<string, IReadOnlyList<string>> gradients) =>
        (Phase, Model, Feeds, ReadsFrom, Gradients) = (phase, new OnnxModel(builder.Graph), feeds, readsFrom, gradients);

    /// <summary>The phase.</summary>
    public TrainingPhase Phase { get; }

    /// <summary>Forward and backward in one graph.</summary>
    public OnnxModel Model { get; }

    /// <summary>The random inputs.</summary>
    public IReadOnlyList<Feed> Feeds { get; }

    /// <summary>What is kept from update to update.</summary>
    public IReadOnlyList<CarriedValue> Carried { get; private init; } = [];

    /// <summary>Roles whose parameters are inputs, in order.</summary>
    public IReadOnlyList<string> ReadsFrom { get; }

    /// <summary>Trained role to the parameters that have a gradient output.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Gradients { get; }

    /// <summary>What recomputation did to the graph; null when there was no budget.</summary>
    public RecomputeReport? Recomputation { get; private set; }

    /// <summary>Repeats parts of the forward pass until the intermediate results fit that many bytes, or as near as that comes.</summary>
    internal void LimitActivations(long bytes) => Recomputation = Recompute.Run(Model.Graph, Model.Graph.Output(LossOutput), bytes);

    /// <summary>Whether the gradients are those of the loss times <see cref="LossScaleInput"/>.</summary>
    public bool IsScaled => Model.Graph.Inputs.Exists(i => i.Name == LossScaleInput);

    /// <summary>Name of the graph input of a parameter.</summary>
    public static string ParameterInput(string role, string parameter) => $"{role}/{parameter}";

    /// <summary>Name of the graph output of a parameter's gradient.</summary>
    public static string GradientOutput(string role, string parameter) => $"grad/{role}/{parameter}";

    /// <summary>Writes the phase's loss, differentiates it, and simplifies both together.</summary>
    /// <param name="phase">The phase.</param>
    /// <param name="task">Sizes and scales.</param>
    /// <param name="teacher">The frozen teacher, its weights constants of the graph; null for fits.</param>
    /// <param name="trained">The networks whose parameters are inputs, by role.</param>
    /// <param name="target">What kind of device it will run on.</param>
    /// <param name="precision">What the networks' products run in.</param>
    /// <exception cref="Graph.UnsupportedOpException">An operator on the way has no gradient.</exception>
    public static TrainingGraph Build(TrainingPhase phase, DistillationTask task, Network? teacher, IReadOnlyDictionary<string, Network> trained,
        GradientTarget target = GradientTarget.Cpu, Precision precision = Precision.Float32)
    {
        var builder = new GraphBuilder(phase.Name);
        var (loss, context, inputs) = BuildLoss(builder, phase, task, teacher, trained);
        var wanted = phase.Trains.SelectMany(role => inputs[role].Select(p => (Role: role, Parameter: p.Key, p.Value))).ToList();
        var scaled = precision == Precision.Float32 ? loss : builder.Mul(loss, builder.Input(LossScaleInput, ElementType.Float32, Shape.Scalar));
        var gradients = Differentiator.Gradients(builder, scaled, [.. wanted.Select(w => w.Value)], target);

        builder.Output(LossOutput, loss);
        foreach (var carried in context.CarriedValues)
            builder.Output(CarriedValue.OutputName(carried.Name), carried.Next ?? throw new InvalidOperationException($"The phase {phase.Name} never carries '{carried.Name}' on."));
        var named = phase.Trains.ToDictionary(role => role, _ => new List<string>());
        for (var i = 0; i < wanted.Count; i++)
        {
            if (gradients[i] is not { } gradient)
                continue;
            builder.Output(GradientOutput(wanted[i].Role, wanted[i].Parameter), Bindable(builder, gradient));
            named[wanted[i].Role].Add(wanted[i].Parameter);
        }
        var read = RemoveUnread(builder.Graph, inputs);
        if (precision == Precision.Float16)
            new HalfPrecision(InNetworks(teacher, trained), target == GradientTarget.Gpu ? HalfForm.Float16 : HalfForm.Rounded).Run(builder.Graph);
        return new TrainingGraph(phase, builder, context.Feeds, read, named.ToDictionary(p => p.Key, p => (IReadOnlyList<string>)p.Value))
        {
            Carried = context.CarriedValues,
        };
    }

    /// <summary>The loss alone, with its markers: what tests freeze and differentiate numerically, and, with every network in inference mode, what an evaluation looks at.</summary>
    internal static (Value Loss, LossContext Context, Dictionary<string, Dictionary<string, Value>> Inputs) BuildLoss(GraphBuilder builder,
        TrainingPhase phase, DistillationTask task, Network? teacher, IReadOnlyDictionary<string, Network> trained, bool isEvaluation = false)
    {
        var inputs = new Dictionary<string, Dictionary<string, Value>>(StringComparer.Ordinal);
        var networks = new Dictionary<string, LossContext.BoundNetwork>(StringComparer.Ordinal);
        if (teacher is not null)
            networks[Roles.Teacher] = new(teacher, new Dictionary<string, Value>());
        foreach (var (role, network) in trained.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            inputs[role] = network.Parameters.ToDictionary(p => p.Name,
                p => builder.Input(ParameterInput(role, p.Name), ElementType.Float32, p.Shape), StringComparer.Ordinal);
            networks[role] = new(network, inputs[role]);
        }
        var context = new LossContext(builder, task, networks) { IsEvaluation = isEvaluation };
        return (phase.BuildLoss(context), context, inputs);
    }

    // Networks inline under their role's name, their gradients under grad/ and that name. A teacher without weights is a formula (an exact mixture).
    private static Func<Node, bool> InNetworks(Network? teacher, IReadOnlyDictionary<string, Network> trained)
    {
        var roles = trained.Keys.Concat(teacher is { Parameters.Count: > 0 } ? new[] { Roles.Teacher } : []).ToHashSet(StringComparer.Ordinal);
        return node =>
        {
            const string backward = "grad/";
            var path = node.Name.StartsWith(backward, StringComparison.Ordinal) ? node.Name[backward.Length..] : node.Name;
            return path.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash && roles.Contains(path[..slash]);
        };
    }

    // ONNX Runtime copies a bound output that ends in one of these, so the value before it is bound: same numbers, another shape.
    private static Value Bindable(GraphBuilder builder, Value gradient)
    {
        while (gradient.Producer is { OpType: "Reshape" or "Squeeze" or "Unsqueeze" or "Flatten" or "Identity" } producer)
            gradient = producer.Input(0);
        // A value that already leaves the graph (or never was computed) needs a copy of its own.
        return gradient.Producer is null || builder.Graph.Outputs.Contains(gradient) ? builder.Sum(gradient) : gradient;
    }

    // A method that does not use a network in a phase must not make callers feed its parameters.
    private static List<string> RemoveUnread(OnnxGraph graph, Dictionary<string, Dictionary<string, Value>> inputs)
    {
        PassPipeline.Final.Run(graph);
        var used = graph.Nodes.SelectMany(n => n.Inputs).OfType<Value>().ToHashSet();
        graph.Inputs.RemoveAll(i => i.Name.Contains('/', StringComparison.Ordinal) && !used.Contains(i));
        return [.. inputs.Where(r => r.Value.Values.Any(used.Contains)).Select(r => r.Key).Order(StringComparer.Ordinal)];
    }
}
