using System.Diagnostics;
using OnnxDistill.Methods;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Training;
using OnnxDistill.Verification;

namespace OnnxDistill.Bench;

/// <summary>Where OnnxDistill's own time goes: phases, noise, optimizers, and the operators of each phase.</summary>
internal static class SelfProfile
{
    private const int WarmUp = 10;

    /// <summary>Prints the tables.</summary>
    public static void Run(TrainingProgram program, int iterations)
    {
        PrintParts(program, iterations);
        PrintOperators(program, iterations);
    }

    private static void PrintParts(TrainingProgram program, int iterations)
    {
        var training = program.Recipe.Recipe.Training;
        var device = TrainingEngine.DeviceOf(training);
        var states = program.Networks.ToDictionary(n => n.Role, n => new NetworkState(n, program.Parts));
        var optimizers = program.Networks.ToDictionary(n => n.Role, n => new OptimizerRunner(states[n.Role], device));
        var lane = device with { Threads = LanedPhase.ThreadsPerLane(training.Threads, program.Parts.Lanes) };
        var phases = program.PartGraphs().Select(g => new LanedPhase(g, program.Parts, states, training.Seed, lane)).ToList();
        var times = new Dictionary<string, List<double>>();
        void Time(string part, Action action)
        {
            var start = Stopwatch.GetTimestamp();
            action();
            if (!times.TryGetValue(part, out var list))
                times[part] = list = [];
            list.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        for (var i = 0; i < iterations + WarmUp; i++)
        {
            if (i == WarmUp)
                times.Clear();
            Time("whole iteration", () =>
            {
                foreach (var phase in phases)
                {
                    Time($"phase {phase.Graph.Phase.Name}, its noise included", () => phase.Run(i));
                    foreach (var role in phase.Graph.Phase.Trains)
                        Time($"optimizer of {role}", () => optimizers[role].Update(1e-5, 0.999));
                }
            });
            Time("noise of both phases", () => Noise(program, i));
        }
        Console.WriteLine("| part | median ms | smallest ms |\n| --- | --- | --- |");
        foreach (var (part, list) in times)
            Console.WriteLine(FormattableString.Invariant($"| {part} | {Statistics.Median(list):F2} | {list.Min():F2} |"));
        var gigaflops = program.Graphs.Sum(g => MatrixWork.Flops(g.Model.Graph)) / 1e9;
        Console.WriteLine(FormattableString.Invariant(
            $"\nproducts and convolutions: {gigaflops:F2} GFLOP an iteration, {gigaflops / Statistics.Median(times["whole iteration"]) * 1000:F0} GFLOP/s over the whole of it; best of a product alone {MatrixPeak.Measure():F0} GFLOP/s"));
        phases.ForEach(p => p.Dispose());
        foreach (var role in states.Keys)
        {
            optimizers[role].Dispose();
            states[role].Dispose();
        }
    }

    private static void Noise(TrainingProgram program, long step)
    {
        foreach (var graph in program.Graphs)
        {
            foreach (var feed in graph.Feeds)
            {
                var stream = new NoiseStream(program.Recipe.Recipe.Training.Seed, PhaseRunner.StreamOf(graph.Phase, feed));
                using var buffer = new TensorBuffer(Graph.Model.ElementType.Float32, feed.Dims.Aggregate(1L, static (n, d) => n * d));
                if (feed.Kind == FeedKind.Normal)
                    stream.FillNormal(buffer.Span<float>(), step);
                else if (feed.Kind == FeedKind.Uniform)
                    stream.FillUniform(buffer.Span<float>(), step);
            }
        }
    }

    private static void PrintOperators(TrainingProgram program, int iterations)
    {
        foreach (var (name, phase) in TrainingProfile.Measure(program, iterations).Phases)
        {
            Console.WriteLine($"\nphase {name}: the ten dearest operators\n\n| operator | nodes | median ms a run |\n| --- | --- | --- |");
            foreach (var row in phase.Operators.Take(10))
                Console.WriteLine(FormattableString.Invariant($"| {row.Operator} | {row.Nodes} | {row.Milliseconds:F2} |"));
        }
    }
}
