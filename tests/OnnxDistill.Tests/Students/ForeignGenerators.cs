using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Students;

/// <summary>Generators as other tools write them.</summary>
internal static class ForeignGenerators
{
    /// <summary>points = latent W + b, latent [N, 3], points [N, outputs], at the batch that the file says.</summary>
    public static OnnxModel Linear(Dim batch, long outputs = 2)
    {
        var b = new GraphBuilder("foreign");
        var latent = b.Input("noise", ElementType.Float32, Shape.Of(batch, 3));
        b.Output("sample", b.Gemm(latent, Weight(b, "fc.weight", 1, 3, outputs), Weight(b, "fc.bias", 2, outputs)));
        return new OnnxModel(b.Graph);
    }

    /// <summary>Images 1x2x2 in [0, 1] of a latent [1, 3] and a one-hot label [1, 4], its batch of 1 written into a Reshape.</summary>
    public static OnnxModel FixedImages()
    {
        var b = new GraphBuilder("foreign");
        var latent = b.Input("noise", ElementType.Float32, Shape.Of(1, 3));
        var label = b.Input("class", ElementType.Float32, Shape.Of(1, 4));
        var h = b.MatMul(b.Concat(1, latent, label), Weight(b, "fc.weight", 1, 7, 4));
        b.Output("image", b.Sigmoid(b.Reshape(h, Shape.Of(1, 1, 2, 2))));
        return new OnnxModel(b.Graph);
    }

    /// <summary>Points through a BatchNormalization in inference form.</summary>
    public static OnnxModel Normalised()
    {
        var b = new GraphBuilder("foreign");
        var latent = b.Input("noise", ElementType.Float32, Shape.Of(Dim.Named("batch"), 3));
        var h = b.MatMul(latent, Weight(b, "fc.weight", 1, 3, 2));
        var y = b.Emit("BatchNormalization", [h, Weight(b, "bn.weight", 2, 2), Weight(b, "bn.bias", 3, 2), Weight(b, "bn.running_mean", 4, 2),
            b.Initializer("bn.running_var", TensorData.Of([0.5f, 2f], 2))], ElementType.Float32, h.Shape);
        b.Output("sample", y);
        return new OnnxModel(b.Graph);
    }

    /// <summary>Points that hang together: each less the mean of its batch.</summary>
    public static OnnxModel Coupled()
    {
        var b = new GraphBuilder("foreign");
        var h = b.MatMul(b.Input("noise", ElementType.Float32, Shape.Of(Dim.Named("batch"), 3)), Weight(b, "fc.weight", 1, 3, 2));
        b.Output("sample", b.Sub(h, b.ReduceMean(h, [0])));
        return new OnnxModel(b.Graph);
    }

    private static Value Weight(GraphBuilder b, string name, int seed, params long[] dims) =>
        b.Initializer(name, TensorData.Of(new TestRandom(seed).FloatNormals((int)dims.Aggregate(1L, (n, d) => n * d)), dims));
}
