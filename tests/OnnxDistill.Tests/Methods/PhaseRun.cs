using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Methods;

/// <summary>One phase of a method with networks of the test's choice, run once on seeded noise.</summary>
/// <param name="Graph">The training graph.</param>
/// <param name="Feeds">What it was fed: noise and parameters.</param>
/// <param name="Outputs">The loss and the gradients.</param>
internal sealed record PhaseRun(TrainingGraph Graph, IReadOnlyDictionary<string, TensorData> Feeds, IReadOnlyDictionary<string, TensorData> Outputs)
{
    public double Loss => Outputs[TrainingGraph.LossOutput].ToDoubles()[0];

    public double[] Gradient(string role, string parameter) => Outputs[TrainingGraph.GradientOutput(role, parameter)].ToDoubles();

    public static PhaseRun Of(TrainingPhase phase, DistillationTask task, Network? teacher, IReadOnlyDictionary<string, Network> trained)
    {
        var graph = TrainingGraph.Build(phase, task, teacher, trained);
        var feeds = FeedsOf(graph.Feeds, trained, graph.Carried);
        var used = graph.Model.Graph.Inputs.ToDictionary(i => i.Name, i => feeds[i.Name]);
        using var session = GraphSession.Create(graph.Model);
        return new PhaseRun(graph, used, session.Run(used));
    }

    /// <summary>Noise by name, ramps at their end, and every parameter and carried vector at its initial value.</summary>
    public static Dictionary<string, TensorData> FeedsOf(IEnumerable<Feed> feeds, IReadOnlyDictionary<string, Network> trained, IEnumerable<CarriedValue>? carried = null)
    {
        var result = feeds.ToDictionary(f => f.Name, Draw);
        foreach (var value in carried ?? [])
            result[CarriedValue.InputName(value.Name)] = value.Initial;
        foreach (var (role, network) in trained)
        {
            foreach (var parameter in network.Parameters)
                result[TrainingGraph.ParameterInput(role, parameter.Name)] = parameter.Constant!; // a parameter is an initializer
        }
        return result;
    }

    private static TensorData Draw(Feed feed)
    {
        if (feed.Ramp is { } ramp)
            return TensorData.Scalar((float)ramp.To);
        var count = (int)feed.Dims.Aggregate(1L, (a, b) => a * b);
        var stream = new NoiseStream(5, StreamId.Named(feed.Name));
        if (feed.Type == ElementType.Int64)
        {
            var labels = new long[count];
            stream.FillIntegers(labels, feed.Bound, 0);
            return TensorData.Of(labels, feed.Dims);
        }
        var numbers = new float[count];
        if (feed.Kind == FeedKind.Normal)
            stream.FillNormal(numbers, 0);
        else
            stream.FillUniform(numbers, 0);
        return TensorData.Of(numbers, feed.Dims);
    }
}
