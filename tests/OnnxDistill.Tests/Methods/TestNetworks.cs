using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Teachers;

namespace OnnxDistill.Tests.Methods;

/// <summary>Denoisers whose values and derivatives can be written down by hand.</summary>
internal static class TestNetworks
{
    public const string SampleParameter = "sample", MatrixParameter = "matrix", OffsetParameter = "offset";

    /// <summary>D(x; sigma) = sample, whatever x is: as a student its parameter is the generated sample, so the parameter's gradient is the
    /// loss's gradient with respect to the sample.</summary>
    public static Network Sample(float[] sample, int batch) => Build(batch, sample.Length / batch, (b, x, _) =>
        b.Add(b.Initializer(SampleParameter, TensorData.Of(sample, batch, sample.Length / batch)), b.Mul(x, 0)));

    /// <summary>D(x; sigma) = x A / (1 + sigma²) + c, with x as a row.</summary>
    public static Network Linear(LinearDenoiser d, int batch) => Build(batch, d.Dimension, (b, x, sigma) => Emit(d, b, x, sigma));

    private static Value Emit(LinearDenoiser d, GraphBuilder b, Value x, Value sigma)
    {
        var matrix = b.Initializer(MatrixParameter, TensorData.Of(Array.ConvertAll(d.Matrix, v => (float)v), d.Dimension, d.Dimension));
        var offset = b.Initializer(OffsetParameter, TensorData.Of(Array.ConvertAll(d.Offset, v => (float)v), d.Dimension));
        var shrink = b.Reciprocal(b.Add(b.Square(b.PerSample(sigma, 2)), 1));
        return b.Add(b.Mul(b.MatMul(x, matrix), shrink), offset);
    }

    /// <summary>q(z | x, sigma) = N(z; D(x; sigma), deviation²) with that D: the posterior of a linear student has such a mean.</summary>
    public static Network Posterior(LinearDenoiser d, double deviation, int batch)
    {
        var b = new GraphBuilder("test");
        var x = b.Input(Denoiser.X, ElementType.Float32, Shape.Of(batch, d.Dimension));
        var sigma = b.Input(Denoiser.Sigma, ElementType.Float32, Shape.Of(batch));
        var z = b.Input(OnnxDistill.Networks.Posteriors.Posterior.Latent, ElementType.Float32, Shape.Of(batch, d.Dimension));
        var error = b.Div(b.Sub(z, Emit(d, b, x, sigma)), deviation);
        b.Output(OnnxDistill.Networks.Posteriors.Posterior.LogDensity, b.ReduceSum(b.Add(b.Mul(b.Square(error), -0.5), -Math.Log(deviation)), [1], keepDims: false));
        var model = new OnnxModel(b.Graph);
        return new Network(model, "a test posterior", model);
    }

    private static Network Build(int batch, int dimension, Func<GraphBuilder, Value, Value, Value> denoise)
    {
        var b = new GraphBuilder("test");
        var x = b.Input(Denoiser.X, ElementType.Float32, Shape.Of(batch, dimension));
        var sigma = b.Input(Denoiser.Sigma, ElementType.Float32, Shape.Of(batch));
        b.Output(Denoiser.Denoised, denoise(b, x, sigma));
        var model = new OnnxModel(b.Graph);
        return new Network(model, "a test network", model);
    }
}
