using System.Diagnostics;
using System.Globalization;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Diagnosis;
using OnnxDistill.Runtime.Normalization;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

/// <summary>Large networks become training graphs in seconds. The figures go to the test's output:
/// <c>OnnxDistill.Tests.dll --filter "FullyQualifiedName~BuildTime" --output Detailed</c>.</summary>
[TestClass]
public sealed class BuildTimeTests
{
    public required TestContext TestContext { get; set; }

    [TestMethod]
    [TestCategory("Slow")]
    public void ANetworkOfSixtyMillionParametersIsDifferentiatedInSeconds()
    {
        using var folder = new Data.TestFiles();
        OnnxWriter.Write(SyntheticUNet.Build(batch: 4, size: 32, [128, 144, 160], blocks: 20), folder["unet.onnx"]);

        var file = Timed("OnnxReader.Read", () => OnnxReader.Read(folder["unet.onnx"]), out _);
        Note(string.Create(CultureInfo.InvariantCulture, $"{file.Graph.Nodes.Count} nodes, {file.Graph.Initializers.Sum(i => i.Constant!.ElementCount):N0} numbers"));
        var normalized = Timed("ModelNormalizer.Normalize", () => ModelNormalizer.Normalize(file), out _);
        var converted = Timed("OpsetConverter.Convert", () => OpsetConverter.Convert(normalized), out _);

        var network = new Network(converted, "the U-Net", file);
        var task = new DistillationTask(4, [3, 32, 32], 0.5, 2.5, 0);
        var trained = new Dictionary<string, Network> { [Roles.Student] = network, [Roles.FakeScore] = network };
        var before = Memory();
        var most = TimeSpan.Zero;
        foreach (var phase in new Sid(new SidOptions()).Phases)
        {
            var graph = Timed($"TrainingGraph.Build {phase.Name}", () => TrainingGraph.Build(phase, task, network, trained), out var time);
            most = time > most ? time : most;
            Note($"{graph.Model.Graph.Nodes.Count} nodes in the graph of {phase.Name}");
            // A few seconds on an idle core; quadratic work anywhere takes minutes.
            Assert.IsLessThan(TimeSpan.FromSeconds(30), time, phase.Name);
            if (phase.Name == "fake_score")
                Timed("GraphSession.Create", () => GraphSession.Create(graph.Model, new DeviceOptions()), out _).Dispose();
        }
        // Beyond the weights, which the frozen teacher's copy shares with the file's.
        Assert.IsLessThan(2e9, Memory() - before, "bytes held after both graphs were built");
    }

    private T Timed<T>(string what, Func<T> act, out TimeSpan time)
    {
        var watch = Stopwatch.StartNew();
        var allocated = GC.GetTotalAllocatedBytes();
        var result = act();
        time = watch.Elapsed;
        Note(string.Create(CultureInfo.InvariantCulture,
            $"{what}: {time.TotalSeconds:F2} s, {(GC.GetTotalAllocatedBytes() - allocated) / 1e6:N0} MB allocated, peak {PeakMemory.Bytes() / 1e6:N0} MB"));
        return result;
    }

    private static double Memory() => GC.GetTotalMemory(forceFullCollection: true);

    private void Note(string text) => TestContext.WriteLine(text);
}
