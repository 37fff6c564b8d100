using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Recipes;

namespace OnnxDistill.Artifacts.OrtTraining;

/// <summary>A recipe's optimizer as one AdamWOptimizer node, whose inputs a session wants by these names in this order.</summary>
internal static class OrtOptimizer
{
    // The learning rate of a session that nobody has told another; a checkpoint cannot hold one (measured on 1.19.2: the rate of its optimizer group has no effect).
    private const float DefaultLearningRate = 0.001f;

    /// <summary>The optimizer's model.</summary>
    public static OnnxModel Build(OptimizerOptions options)
    {
        var builder = new GraphBuilder("optimizer_model");
        var graph = builder.Graph;
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
        graph.Nodes.Add(new Node("AdamWOptimizer", [LearningRate(builder, inputs[0], options.LearningRate), inputs[1], inputs[2], gradients, inputs[4], inputs[5]], [updated], attributes, "adamw", OrtModels.Domain));
        graph.Outputs.Add(updated);
        var model = new OnnxModel(graph);
        model.Opsets[OrtModels.Domain] = 1;
        return model;
    }

    // A client in JavaScript has no call for the learning rate, so the session's own stands for the recipe's; any other is taken as it is.
    private static Value LearningRate(GraphBuilder b, Value fed, double learningRate) => (float)learningRate == DefaultLearningRate ? fed
        : b.Where(b.Equal(fed, b.Scalar(DefaultLearningRate)), b.Scalar(learningRate), fed);

    private static Value Sequence(string name) => new(name) { SequenceOf = ElementType.Float32 };
}
