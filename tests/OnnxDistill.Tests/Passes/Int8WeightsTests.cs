using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Graph.Passes.Compression;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Passes;

/// <summary>Weights of products become int8 with a scale for each output channel, and nothing else does.</summary>
[TestClass]
public sealed class Int8WeightsTests
{
    private static readonly Dictionary<string, (long[] Input, long[] Weight, long[] Scale, Func<GraphBuilder, Value, Value, Value> Emit)> Cases = new()
    {
        ["Conv"] = ([2, 4, 5, 5], [16, 4, 3, 3], [16, 1, 1, 1], static (b, x, w) => b.Conv(x, w)),
        ["ConvTranspose"] = ([2, 16, 5, 5], [16, 4, 3, 3], [1, 4, 1, 1], static (b, x, w) => b.Emit("ConvTranspose", [x, w], ElementType.Float32, null)),
        ["MatMul"] = ([3, 16], [16, 32], [1, 32], static (b, x, w) => b.MatMul(x, w)),
        ["MatMul of a transpose"] = ([3, 16], [32, 16], [32, 1], static (b, x, w) => b.MatMul(x, b.Transpose(w, 1, 0))),
        ["Gemm"] = ([3, 16], [16, 32], [1, 32], static (b, x, w) => b.Gemm(x, w)),
        ["Gemm, transB"] = ([3, 16], [32, 16], [32, 1], static (b, x, w) => b.Gemm(x, w, transposeB: true)),
        ["Gather"] = ([3], [32, 16], [32, 1], static (b, x, w) => b.Gather(w, b.Cast(b.Abs(x), ElementType.Int64), 0)),
    };

    public static IEnumerable<object[]> Names => Cases.Keys.Select(k => new object[] { k });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void AWeightIsRoundedToItsOutputChannelsScale(string name)
    {
        var (inputDims, dims, scaleDims, _) = Cases[name];
        var (numbers, model) = Build(name);
        Assert.AreEqual(1, new Int8Weights().Run(model.Graph));
        Assert.IsEmpty(GraphChecker.FileFindings(model));
        var (stored, scale) = (Data(model, "layer.weight:int8"), Data(model, "layer.weight:scale"));
        CollectionAssert.AreEqual(scaleDims, scale.Dims);
        var rounded = new float[numbers.Length];
        var inner = Array.FindIndex(scaleDims, static d => d > 1) is var axis ? dims[(axis + 1)..].Aggregate(1L, static (n, d) => n * d) : 0;
        for (var i = 0; i < numbers.Length; i++)
        {
            var s = scale.As<float>()[(int)(i / inner % dims[axis])];
            rounded[i] = stored.As<sbyte>()[i] * s;
            Assert.IsLessThanOrEqualTo(s * 0.5001, Math.Abs((double)numbers[i] - rounded[i]), $"{i}"); // half a step, and float32's last bit
        }
        Assert.IsTrue(stored.As<sbyte>().ToArray().Any(static q => q is 127 or -127), "the largest of a channel is at the end of the range");
        // The graph computes with those numbers.
        var feeds = new Dictionary<string, TensorData> { ["x"] = TensorData.Of(new TestRandom(2).FloatNormals((int)inputDims.Aggregate(1L, static (n, d) => n * d)), inputDims) };
        var expected = Run(Build(name, rounded).Model, feeds);
        CollectionAssert.AreEqual(expected, Run(model, feeds));
    }

    [TestMethod]
    public void WhatIsNoWeightOfOneProductStays()
    {
        foreach (var emit in new Func<GraphBuilder, Value, Value, Value>[]
        {
            static (b, x, w) => b.Add(x, w),
            static (b, x, w) => b.Add(b.MatMul(x, w), b.MatMul(x, b.Transpose(w, 1, 0))),
            static (b, x, w) => b.Add(b.MatMul(x, w), w),
        })
        {
            var model = Model(new float[256], [16, 16], [16, 16], emit);
            Assert.AreEqual(0, new Int8Weights().Run(model.Graph));
            Assert.AreEqual(ElementType.Float32, model.Graph.Initializers.Single(i => i.Name == "layer.weight").Type);
        }
        Assert.AreEqual(0, new Int8Weights().Run(Model(new float[255], [15, 17], [3, 15], static (b, x, w) => b.MatMul(x, w)).Graph), "small weights stay");
        Assert.AreEqual(0, new Int8Weights().Run(Model([float.NaN, .. new float[255]], [16, 16], [3, 16], static (b, x, w) => b.MatMul(x, w)).Graph), "NaN has no scale");
        Assert.AreEqual(1, new Int8Weights().Run(Model(new float[256], [16, 16], [3, 16], static (b, x, w) => b.MatMul(x, w)).Graph), "zeros are numbers");
    }

    private static (float[] Numbers, OnnxModel Model) Build(string name, float[]? numbers = null)
    {
        var (inputDims, dims, _, emit) = Cases[name];
        // Channels of very different sizes, along every axis alike, so that one scale for all would show.
        numbers ??= [.. new TestRandom(1).FloatNormals((int)dims.Aggregate(1L, static (n, d) => n * d)).Select((v, i) => v * MathF.Pow(10, i * 7 % 5))];
        return (numbers, Model(numbers, dims, inputDims, emit));
    }

    private static OnnxModel Model(float[] numbers, long[] dims, long[] inputDims, Func<GraphBuilder, Value, Value, Value> emit)
    {
        var b = new GraphBuilder();
        using (b.Scope("network"))
        {
            var y = emit(b, b.Input("x", ElementType.Float32, Shape.Of(inputDims)), b.Initializer("layer.weight", TensorData.Of(numbers, dims)));
            y.KnownShape ??= new Shape(Enumerable.Range(0, inputDims.Length).Select(static i => Dim.Named($"d{i}")));
            b.Output("y", y);
        }
        return new OnnxModel(b.Graph);
    }

    private static TensorData Data(OnnxModel model, string name) => model.Graph.Initializers.Single(i => i.Name == name).Constant!; // an initializer has its data

    private static float[] Run(OnnxModel model, Dictionary<string, TensorData> feeds)
    {
        using var session = GraphSession.Create(model, new DeviceOptions { Threads = 1 });
        return session.Run(feeds).Values.Single().As<float>().ToArray();
    }
}
