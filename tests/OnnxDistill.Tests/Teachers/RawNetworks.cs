using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;

namespace OnnxDistill.Tests.Teachers;

/// <summary>Raw networks as exporters write them, which are exact for data of a Gaussian.</summary>
internal static class RawNetworks
{
    /// <summary>The velocity of a rectified flow over N(mean, std²) in two dimensions: inputs state [N, 2] and t [N].</summary>
    /// <param name="mean">Mean of the data.</param>
    /// <param name="std">Its standard deviation.</param>
    /// <param name="reversed">Time 0 is noise, 1 is data, and the velocity points to the data.</param>
    public static OnnxModel Flow(double mean, double std, bool reversed = false) => Model((b, x, t) =>
        reversed ? b.Neg(FlowVelocity(b, x, b.Sub(b.Scalar(1), t), mean, std)) : FlowVelocity(b, x, t, mean, std));

    /// <summary>Its exact denoiser, with the noise level as time.</summary>
    public static OnnxModel Denoiser(double mean, double std) => Model((b, x, sigma) => Posterior(b, x, sigma, mean, std));

    /// <summary>E[noise - x0 | x_t = (1 - t) x0 + t noise].</summary>
    public static Value FlowVelocity(GraphBuilder b, Value x, Value t, double mean, double std)
    {
        var time = b.PerSample(t, 2);
        var rest = b.Sub(b.Scalar(1), time);
        var variance = b.Add(b.Mul(b.Square(rest), std * std), b.Square(time));
        var centred = b.Div(b.Sub(x, b.Mul(rest, mean)), variance);
        return b.Sub(b.Mul(centred, time), b.Add(b.Mul(b.Mul(centred, rest), std * std), mean));
    }

    /// <summary>E[x0 | x = x0 + sigma noise].</summary>
    public static Value Posterior(GraphBuilder b, Value x, Value sigma, double mean, double std)
    {
        var noise = b.Square(b.PerSample(sigma, 2));
        return b.Div(b.Add(b.Mul(x, std * std), b.Mul(noise, mean)), b.Add(noise, std * std));
    }

    /// <summary>A model of inputs state and t, and further ones.</summary>
    public static OnnxModel Model(Func<GraphBuilder, Value, Value, Value> output, params (string Name, ElementType Type, Shape Shape)[] more)
    {
        var b = new GraphBuilder("raw");
        var x = b.Input("state", ElementType.Float32, Shape.Of(Dim.Named("N"), 2));
        var t = b.Input("t", ElementType.Float32, Shape.Of(Dim.Named("N")));
        foreach (var (name, type, shape) in more)
            b.Input(name, type, shape);
        b.Output("velocity", output(b, x, t));
        return new OnnxModel(b.Graph);
    }
}
