using OnnxDistill.Artifacts.OrtTraining;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Tests.Artifacts;

/// <summary>The order in which ONNX Runtime's training models have their inputs and outputs; its own files pass.</summary>
internal static class OrtLayout
{
    public static void RequireOrder(OnnxModel training, OnnxModel evaluation, OrtCheckpoint checkpoint)
    {
        var known = checkpoint.Trainable.Concat(checkpoint.Frozen).Select(p => p.Name).ToHashSet();
        var trainable = checkpoint.Trainable.Select(p => p.Name).ToHashSet();
        var inputs = training.Graph.Inputs;
        var user = inputs.TakeWhile(i => !known.Contains(i.Name)).ToList();
        Assert.IsNotEmpty(user);
        Assert.IsFalse(user.Exists(i => i.Name.EndsWith("_grad", StringComparison.Ordinal) || i.Name.EndsWith(".buffer", StringComparison.Ordinal)));
        var parameters = inputs.Skip(user.Count).Take(known.Count).ToList();
        CollectionAssert.AreEquivalent(known.ToArray(), parameters.Select(p => p.Name).ToArray());
        var trained = parameters.Where(p => trainable.Contains(p.Name)).ToList();
        var buffers = inputs.Skip(user.Count + parameters.Count).SkipLast(1).ToList();
        CollectionAssert.AreEqual(trained.Select(p => $"{p.Name}_grad.accumulation.buffer {p.Type} {p.Shape}").ToArray(), buffers.Select(b => $"{b.Name} {b.Type} {b.Shape}").ToArray());
        Assert.AreEqual("lazy_reset_grad Bool [1]", Text(inputs[^1]));

        var loss = training.Graph.Outputs[0];
        Assert.AreEqual((ElementType.Float32, 0), (loss.Type, loss.Shape.Rank));
        CollectionAssert.AreEqual(trained.Select(p => $"{p.Name}_grad.accumulation.out Bool [1]").ToArray(), training.Graph.Outputs.Skip(1).Select(Text).ToArray());
        foreach (var (parameter, buffer, flag) in trained.Zip(buffers, training.Graph.Outputs.Skip(1)))
        {
            var node = flag.Producer!;
            Assert.AreEqual("com.microsoft::InPlaceAccumulatorV2", node.QualifiedOp);
            CollectionAssert.AreEqual(new[] { buffer.Name, $"{parameter.Name}_grad", "lazy_reset_grad" }, node.Inputs.Select(i => i!.Name).ToArray());
        }

        // Parameters in the training model's order, after the user's inputs.
        var names = evaluation.Graph.Inputs.Select(i => i.Name).ToList();
        CollectionAssert.AreEqual(parameters.Select(p => p.Name).ToArray(), names.Skip(names.Count - parameters.Count).ToArray());
        Assert.IsTrue(names.Take(names.Count - parameters.Count).All(user.Select(i => i.Name).Contains));
        Assert.AreEqual((loss.Name, ElementType.Float32), (evaluation.Graph.Outputs.Single().Name, evaluation.Graph.Outputs.Single().Type));

        static string Text(Value value) => $"{value.Name} {value.Type} {value.Shape}";
    }
}
