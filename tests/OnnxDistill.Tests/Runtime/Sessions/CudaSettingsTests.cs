using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Runtime.Sessions;

/// <summary>What the CUDA provider would be told, compared with the names and values that its documentation lists (onnxruntime.ai, CUDA Execution
/// Provider, configuration options). There is no GPU here to tell it to.</summary>
[TestClass]
public sealed class CudaSettingsTests
{
    private static readonly Dictionary<string, string[]?> Documented = new()
    {
        ["device_id"] = null,
        ["user_compute_stream"] = null,
        ["do_copy_in_default_stream"] = ["0", "1"],
        ["use_ep_level_unified_stream"] = ["0", "1"],
        ["gpu_mem_limit"] = null,
        ["arena_extend_strategy"] = ["kNextPowerOfTwo", "kSameAsRequested"],
        ["cudnn_conv_algo_search"] = ["EXHAUSTIVE", "HEURISTIC", "DEFAULT"],
        ["cudnn_conv_use_max_workspace"] = ["0", "1"],
        ["cudnn_conv1d_pad_to_nc1d"] = ["0", "1"],
        ["enable_cuda_graph"] = ["0", "1"],
        ["enable_skip_layer_norm_strict_mode"] = ["0", "1"],
        ["use_tf32"] = ["0", "1"],
        ["prefer_nhwc"] = ["0", "1"],
    };

    [TestMethod]
    public void ByDefaultNoTensorFloatNoGraphAndTheSameConvolutionsEveryTime() =>
        Assert.AreEqual("cudnn_conv_algo_search=HEURISTIC device_id=2 enable_cuda_graph=0 use_tf32=0", Written(new DeviceOptions { Device = "cuda:2" }));

    [TestMethod]
    public void ARecipeReachesThemAll()
    {
        using var files = new TestFiles();
        var training = Toys.Recipe(files, "sid", "training.device=cuda:1",
            "training.cuda={\"tf32\":true,\"convolutionSearch\":\"exhaustive\",\"graph\":true,\"memoryLimit\":5000000000}").Recipe.Training;
        Assert.AreEqual("cudnn_conv_algo_search=EXHAUSTIVE device_id=1 enable_cuda_graph=1 gpu_mem_limit=5000000000 use_tf32=1", Written(TrainingEngine.DeviceOf(training)));
        Expect.Error<RecipeException>(() => Toys.Recipe(files, "sid", "training.cuda.convolutionSearch=fast"), "one of heuristic, exhaustive, default");
        Assert.IsFalse(TrainingEngine.DeviceOf(training with { Device = "cpu" }).CudaGraph, "the CPU has no such graphs");
    }

    /// <summary>A recorded graph holds addresses: bindings of one session, between which training alternates, each have a number of their own.</summary>
    [TestMethod]
    public void EachBindingRecordsItsOwnGraph()
    {
        var options = new DeviceOptions { CudaGraph = true };
        using var memory = new DeviceMemory(options);
        using var session = GraphSession.Create(SmallGraphs.Step(2), options);
        using var buffer = memory.Allocate(ElementType.Float32, 2);
        KeyValuePair<string, TensorView>[] inputs = [new("state", buffer.View(2)), new("force", buffer.View(2))];
        using var first = session.Bind(inputs, []);
        using var second = session.Bind(inputs, []);
        Assert.AreEqual((1, 2), (first.GraphId, second.GraphId));

        using var host = new TensorBuffer(ElementType.Float32, 2);
        Expect.Error<ArgumentException>(() => session.Bind([new("state", host.View(2)), inputs[1]], []), "'state' lies in the host's memory", "addresses");
        using var plain = GraphSession.Create(SmallGraphs.Step(2));
        using var without = plain.Bind(inputs, []);
        Assert.IsNull(without.GraphId);
    }

    private static string Written(DeviceOptions options)
    {
        var settings = SessionOptionsFactory.CudaSettings(options, Device.Parse(options.Device));
        foreach (var (name, value) in settings)
        {
            Assert.IsTrue(Documented.TryGetValue(name, out var values), name);
            Assert.IsTrue(values is null ? long.TryParse(value, out _) : values.Contains(value), $"{name}={value}");
        }
        return string.Join(' ', settings.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Key}={s.Value}"));
    }
}
