using OnnxDistill.Graph.Model;
using OnnxDistill.Recipes;

namespace OnnxDistill.Artifacts.OrtTraining;

/// <summary>A recipe's optimizer as one AdamWOptimizer node, whose inputs a session wants by these names in this order.</summary>
internal static class OrtOptimizer
{
    /// <summary>What a session starts with where the checkpoint does not say otherwise.</summary>
    public const float DefaultLearningRate = 0.001f;

    /// <summary>The optimizer's model.</summary>
    public static OnnxModel Build(OptimizerOptions options)
    {
        var graph = new OnnxGraph { Name = "optimizer_model" };
        Value[] inputs =
        [
            new("learning_rate", ElementType.Float32, Shape.Of(1)), new("step", ElementType.Int64, Shape.Of(1)),
            Sequence("params"), Sequence("gradients"), Sequence("first_order_moments"), Sequence("second_order_moments"),
        ];
        graph.Inputs.AddRange(inputs);
        var gradients = inputs[3];
        if (options.ClipNorm > 0)
        {
            var clipped = Sequence("clipped_gradients");
            graph.Nodes.Add(new Node("InplaceClipGradNorm", [gradients], [clipped], new AttributeMap(("max_norm", options.ClipNorm), ("norm_type", "fro")), "clip", OrtModels.Domain));
            gradients = clipped;
        }
        var updated = new Value("updated_flag", ElementType.Bool, Shape.Of(1));
        // Mode 0 is PyTorch's AdamW, and this project's: weights decay before the update, and both moments are corrected.
        var attributes = new AttributeMap(("adam_mode", 0), ("alpha", options.Beta1), ("beta", options.Beta2), ("correct_bias", 1), ("epsilon", options.Epsilon),
            ("weight_decay", options.WeightDecay));
        graph.Nodes.Add(new Node("AdamWOptimizer", [inputs[0], inputs[1], inputs[2], gradients, inputs[4], inputs[5]], [updated], attributes, "adamw", OrtModels.Domain));
        graph.Outputs.Add(updated);
        var model = new OnnxModel(graph);
        model.Opsets[OrtModels.Domain] = 1;
        return model;
    }

    /// <summary>The state that lets a session start with the recipe's learning rate: moments at zero. None where that is the session's own.</summary>
    public static IReadOnlyList<OrtOptimizerGroup> State(OptimizerOptions options, IReadOnlyList<Value> trainable)
    {
        if ((float)options.LearningRate == DefaultLearningRate)
            return [];
        OrtParameter Zeros(string name, Value parameter) => new(name, TensorData.Of(new float[parameter.Shape.ElementCount], parameter.Shape.Sizes()));
        var states = trainable.Select(p => new OrtMoments(p.Name, [Zeros("momentum0", p), Zeros("momentum1", p)]));
        return [new OrtOptimizerGroup("group0", 0, (float)options.LearningRate, [.. states])];
    }

    private static Value Sequence(string name) => new(name) { SequenceOf = ElementType.Float32 };
}
