using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Training;

namespace OnnxDistill.Artifacts.OrtTraining;

/// <summary>A phase as ONNX Runtime's training sessions want it: they tell inputs apart by name, and feed user inputs, parameters, gradient buffers and the reset in this order.</summary>
internal sealed class OrtModels
{
    /// <summary>Domain of ONNX Runtime's own operators.</summary>
    public const string Domain = "com.microsoft";

    /// <summary>The input that says whether a step overwrites the gradient buffers or adds to them.</summary>
    public const string LazyReset = "lazy_reset_grad";

    private readonly TrainingProgram _program;
    private readonly TrainingGraph _graph;
    private readonly TrainedNetwork _network;

    /// <summary>The models of a program of one phase that trains one network.</summary>
    public OrtModels(TrainingProgram program)
    {
        (_program, _graph, _network) = (program, program.Graphs.Single(), program.Networks.Single());
        var inputs = _graph.Model.Graph.Inputs.Select(i => i.Name).ToHashSet(StringComparer.Ordinal);
        var gradients = _graph.Gradients[_network.Role].ToHashSet(StringComparer.Ordinal);
        Parameters = [.. _network.Network.Parameters.Where(p => inputs.Contains(TrainingGraph.ParameterInput(_network.Role, p.Name)))];
        Trainable = [.. Parameters.Where(p => gradients.Contains(p.Name))];
        Frozen = [.. Parameters.Where(p => !gradients.Contains(p.Name))];
        RequireDistinctNames();
    }

    /// <summary>The parameters that the loss reads, with their initial values, in the order of the inputs.</summary>
    public IReadOnlyList<Value> Parameters { get; }

    /// <summary>Those that the loss depends on smoothly.</summary>
    public IReadOnlyList<Value> Trainable { get; }

    /// <summary>The others.</summary>
    public IReadOnlyList<Value> Frozen { get; }

    /// <summary>What a step is fed, in order.</summary>
    public IReadOnlyList<Feed> Feeds => _graph.Feeds;

    /// <summary>Name of the input that holds a parameter's gradient from step to step.</summary>
    public static string Buffer(string parameter) => $"{parameter}_grad.accumulation.buffer";

    /// <summary>Loss and gradients; each gradient goes into its buffer, whose flag is the output.</summary>
    public OnnxModel Training()
    {
        var b = new GraphBuilder("training_model");
        var bound = Bind(b, Feeds);
        var buffers = Trainable.ToDictionary(p => p.Name, p => b.Input(Buffer(p.Name), ElementType.Float32, p.Shape));
        var reset = b.Input(LazyReset, ElementType.Bool, Shape.Of(1));
        var template = _graph.Model.Graph;
        var outputs = template.Outputs.Zip(b.Inline(template, "", bound)).ToDictionary(o => o.First.Name, o => o.Second);
        b.Graph.Outputs.Add(outputs[TrainingGraph.LossOutput]);
        foreach (var parameter in Trainable)
        {
            // Our gradients may have another shape with the same numbers in the same order; the accumulator and the optimizer want the parameter's.
            var gradient = outputs[TrainingGraph.GradientOutput(_network.Role, parameter.Name)];
            gradient = gradient.Shape.Equals(parameter.Shape) ? gradient : b.Reshape(gradient, parameter.Shape);
            gradient.Name = $"{parameter.Name}_grad";
            var flag = new Value($"{parameter.Name}_grad.accumulation.out", ElementType.Bool, Shape.Of(1));
            b.Graph.Nodes.Add(new Node("InPlaceAccumulatorV2", [buffers[parameter.Name], gradient, reset], [flag], name: $"{parameter.Name}_grad.accumulation", domain: Domain));
            b.Graph.Outputs.Add(flag);
        }
        return Model(b);
    }

    /// <summary>The loss alone, of the network in inference mode.</summary>
    /// <returns>The model and what it is fed: less than a training step where the network drops something in training.</returns>
    public (OnnxModel Model, IReadOnlyList<Feed> Feeds) Evaluation()
    {
        var inner = new GraphBuilder("loss");
        var trained = new Dictionary<string, Network> { [_network.Role] = _network.Network };
        var (loss, context, _) = TrainingGraph.BuildLoss(inner, _graph.Phase, _program.Task, teacher: null, trained, isEvaluation: true);
        inner.Output(TrainingGraph.LossOutput, loss);
        PassPipeline.Final.Run(inner.Graph);
        var b = new GraphBuilder("eval_model");
        var bound = Bind(b, context.Feeds);
        // What neither graph reads is no input of the written ones.
        foreach (var unread in inner.Graph.Inputs.Where(i => !bound.ContainsKey(i.Name)))
            bound[unread.Name] = new Value(unread.Name, unread.Type, unread.KnownShape);
        b.Graph.Outputs.Add(b.Inline(inner.Graph, "", bound)[0]);
        return (Model(b), context.Feeds);
    }

    private Dictionary<string, Value> Bind(GraphBuilder b, IReadOnlyList<Feed> feeds)
    {
        var bound = feeds.ToDictionary(f => f.Name, f => b.Input(f.Name, f.Type, Shape.Of(f.Dims)), StringComparer.Ordinal);
        foreach (var parameter in Parameters)
            bound[TrainingGraph.ParameterInput(_network.Role, parameter.Name)] = b.Input(parameter.Name, ElementType.Float32, parameter.Shape);
        return bound;
    }

    private static OnnxModel Model(GraphBuilder b)
    {
        var model = new OnnxModel(b.Graph);
        model.Opsets[Domain] = 1;
        return model;
    }

    // A session knows parameters by name alone.
    private void RequireDistinctNames()
    {
        var taken = Feeds.Select(f => f.Name).Append(LazyReset).Append(TrainingGraph.LossOutput).ToHashSet(StringComparer.Ordinal);
        var clash = Parameters.Select(p => p.Name).Where(n => taken.Contains(n) || Parameters.Any(p => n == $"{p.Name}_grad" || n == Buffer(p.Name))).ToList();
        if (clash.Count > 0)
        {
            throw new RecipeException($"{_network.Network.What} has weights named {string.Join(", ", clash.Select(n => $"'{n}'"))}, which ONNX Runtime's training sessions would take for inputs of the step "
                + "or for gradients. Rename them in the model's file.");
        }
    }
}
