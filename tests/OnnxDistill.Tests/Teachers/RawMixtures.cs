using OnnxDistill.Data;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;

namespace OnnxDistill.Tests.Teachers;

/// <summary>A network's own frame: how it reads its time.</summary>
/// <param name="Schedule">The schedule as import is told.</param>
/// <param name="Time">The time form as import is told; empty for the usual one.</param>
/// <param name="Decode">Times [N, 1] to sigma and alpha [N, 1], by the forward formulas of the papers.</param>
/// <param name="Range">Levels to test at.</param>
internal sealed record RawFrame(string Schedule, string Time, Func<GraphBuilder, Value, (Value Sigma, Value Alpha)> Decode, (double Min, double Max) Range)
{
    /// <summary>Whether its levels are a table's.</summary>
    public bool IsTable { get; init; }

    public override string ToString() => Time.Length > 0 ? $"{Schedule} as {Time}" : Schedule;
}

/// <summary>The exact answers of a Gaussian mixture, as raw networks of every convention that the importer knows.</summary>
internal static class RawMixtures
{
    /// <summary>Two modes in the plane, off centre, so that a lost sign or mean shows, and narrow, because images have detail on every scale.</summary>
    public static GaussianMixture Mixture { get; } = new([1, 2], [[-0.9, 0.4], [0.7, -0.6]], [0.02, 0.03]);

    /// <summary>Its standard deviation.</summary>
    public static double SigmaData { get; } = MixtureTeacher.Card(Mixture, "").SigmaData;

    /// <summary>What a network of that prediction says where the posterior mean is known: of x = x0 + sigma n, its D, sigma and alpha.</summary>
    public static Value Predict(GraphBuilder b, string prediction, Value x, Value denoised, Value sigma, Value alpha)
    {
        var noise = b.Div(b.Sub(x, denoised), sigma);
        switch (prediction)
        {
            case "x0" or "denoiser":
                return b.Mul(denoised, 1);
            case "eps":
                return noise;
            case "v":
                return b.Mul(alpha, b.Sub(noise, b.Mul(sigma, denoised)));
            case "score":
                return b.Neg(b.Div(noise, b.Mul(alpha, sigma)));
            case "edm-score":
                return b.Neg(b.Div(noise, sigma));
            case "scaled-score":
                return b.Neg(noise);
            case "flow":
                return b.Sub(noise, denoised);
            case "reversed-flow":
                return b.Sub(denoised, noise);
            case "edm":
                var total = b.Add(b.Square(sigma), SigmaData * SigmaData);
                return b.Div(b.Sub(denoised, b.Mul(b.Div(b.Scalar(SigmaData * SigmaData), total), x)), b.Div(b.Mul(sigma, SigmaData), b.Sqrt(total)));
            default:
                throw new ArgumentOutOfRangeException(nameof(prediction), prediction, "no such prediction");
        }
    }

    /// <summary>A raw network with the inputs x [N, 2] and t [N].</summary>
    public static OnnxModel Build(string prediction, RawFrame frame)
    {
        var b = new GraphBuilder("raw");
        var state = b.Input("x", ElementType.Float32, Shape.Of(Dim.Named("N"), 2));
        var time = b.Input("t", ElementType.Float32, Shape.Of(Dim.Named("N")));
        b.Output("out", Answer(b, prediction, frame, state, time));
        return new OnnxModel(b.Graph);
    }

    /// <summary>The answer to a state [N, 2] at times [N].</summary>
    public static Value Answer(GraphBuilder b, string prediction, RawFrame frame, Value state, Value time)
    {
        var (sigma, alpha) = frame.Decode(b, b.Unsqueeze(time, 1));
        if (prediction == "edm")
            alpha = b.Reciprocal(b.Sqrt(b.Add(b.Square(sigma), SigmaData * SigmaData)));
        var x = b.Div(state, alpha);
        return Predict(b, prediction, x, Denoise(b, Mixture, x, b.Squeeze(sigma, 1)), sigma, alpha);
    }

    /// <summary>The mixture's D(x; sigma).</summary>
    public static Value Denoise(GraphBuilder b, GaussianMixture mixture, Value x, Value sigma) =>
        MixtureTeacher.Build(mixture).AtAnyBatch().Denoise(b, "exact", x, sigma, null, new Dictionary<string, Value>());
}
