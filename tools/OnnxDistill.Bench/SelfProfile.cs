using System.Diagnostics;
using System.Text.Json;
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
        var lane = device with { Threads = LanedPhase.ThreadsPerLane(training.Threads, training.Lanes) };
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
                var stream = new NoiseStream(program.Recipe.Recipe.Training.Seed, StreamId.Named($"{graph.Phase.Name}/{feed.Name}"));
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
        var folder = Directory.CreateTempSubdirectory("onnxdistill-bench-");
        try
        {
            using (var engine = new TrainingEngine(program, Path.Combine(folder.FullName, "profile")))
            {
                for (var i = 0; i < iterations; i++)
                    engine.Step();
            }
            foreach (var graph in program.Graphs)
            {
                var file = folder.GetFiles($"profile-{graph.Phase.Name}_*.json").Single();
                Console.WriteLine($"\nphase {graph.Phase.Name}: the ten dearest operators\n\n| operator | nodes | median ms a run | smallest ms |\n| --- | --- | --- | --- |");
                foreach (var (op, nodes, median, smallest) in Operators(file.FullName).OrderByDescending(o => o.Smallest).Take(10))
                    Console.WriteLine(FormattableString.Invariant($"| {op} | {nodes} | {median / 1000:F2} | {smallest / 1000:F2} |"));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // A node's time is its median over the runs: sums would hold whatever else the machine did meanwhile.
    private static IEnumerable<(string Op, int Nodes, double Median, double Smallest)> Operators(string path)
    {
        using var profile = JsonDocument.Parse(File.ReadAllBytes(path));
        return profile.RootElement.EnumerateArray()
            .Where(e => e.GetProperty("cat").GetString() == "Node" && e.GetProperty("name").GetString()!.EndsWith("_kernel_time", StringComparison.Ordinal))
            .Select(e => (Op: e.GetProperty("args").GetProperty("op_name").GetString()!, Name: e.GetProperty("name").GetString(), Time: e.GetProperty("dur").GetDouble()))
            .GroupBy(e => (e.Op, e.Name)).Select(g => (g.Key.Op, Median: Statistics.Median(g.Select(e => e.Time)), Smallest: g.Min(e => e.Time)))
            .GroupBy(n => n.Op).Select(g => (g.Key, g.Count(), g.Sum(n => n.Median), g.Sum(n => n.Smallest))).ToList();
    }
}
