using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>What a prediction's formula sees.</summary>
/// <param name="B">Receives the nodes.</param>
/// <param name="X">x0 + sigma · noise.</param>
/// <param name="Level">The noise levels.</param>
/// <param name="Output">What the network said.</param>
/// <param name="SigmaData">Standard deviation of the network's data.</param>
internal readonly record struct PredictionFrame(GraphBuilder B, Value X, NoiseLevel Level, Value Output, double SigmaData)
{
    /// <summary>The levels beside samples, [N, 1, ...].</summary>
    public Value Sigma => B.PerSample(Level.Sigma, X.Shape.Rank);

    /// <summary>The signal in the network's own state, [N, 1, ...].</summary>
    public Value Alpha => B.PerSample(Level.Alpha, X.Shape.Rank);
}

/// <summary>What a network predicts.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Summary">What it is.</param>
/// <param name="Schedule">The schedule that goes without saying; empty: it has to be told.</param>
/// <param name="Time">How the time is told under that schedule; empty: as is usual there.</param>
/// <param name="Denoise">D(x; sigma) of it.</param>
internal sealed record Prediction(string Name, string Summary, string Schedule, string Time, Func<PredictionFrame, Value> Denoise)
{
    /// <summary>The network's state over x, at levels [N], where it is not the schedule's alpha.</summary>
    public Func<GraphBuilder, Value, double, Value>? Scale { get; init; }
}

/// <summary>
/// Every prediction by name: a line a prediction, in alphabetical order. With x = x0 + sigma noise and the network's state alpha x (methods.md section 2); from
/// the v of x_t = alpha x0 + s noise, v = alpha noise - s x0, follows alpha x_t - s v = (alpha² + s²) x0 whether the variance is preserved or not.
/// </summary>
internal static class Predictions
{
    public static IReadOnlyList<Prediction> All { get; } =
    [
        new("denoiser", "already D(x; sigma) in the EDM frame", "edm", "", static f => f.Output),
        new("edm", "the raw F inside EDM's preconditioning with --sigma-data", "edm", "c-noise", static f => Edm(f)) { Scale = EdmScale },
        new("edm-score", "the score of x0 + sigma noise, whatever the network's own state", "edm", "", static f => f.B.Add(f.X, f.B.Mul(f.B.Square(f.Sigma), f.Output))),
        new("eps", "the noise", "", "", static f => f.B.Sub(f.X, f.B.Mul(f.Sigma, f.Output))),
        new("flow", "velocity noise - data, time 0 is data and 1 is noise", "flow", "", static f => Flow(f, f.B.Sub)),
        new("reversed-flow", "velocity data - noise, time 0 is noise and 1 is data", "reversed-flow", "", static f => Flow(f, f.B.Add)),
        new("scaled-score", "sigma times the score, which is minus the noise: the raw F inside NVIDIA's VE networks", "ve", "log-half-sigma",
            static f => f.B.Add(f.X, f.B.Mul(f.Sigma, f.Output))),
        new("score", "the score of the network's own noisy state", "", "", static f => f.B.Add(f.X, f.B.Mul(f.B.Mul(f.B.Square(f.Sigma), f.Alpha), f.Output))),
        new("v", "alpha noise - s data, s the scale of the noise in the network's own state", "", "", static f => V(f)),
        new("x0", "the clean sample", "", "", static f => f.Output),
    ];

    /// <summary>The prediction of that name.</summary>
    /// <exception cref="TeacherMismatchException">There is none.</exception>
    public static Prediction Find(string name) => All.FirstOrDefault(p => p.Name == name) ?? throw new TeacherMismatchException(
        $"--prediction {name}: not known. Known: {string.Join("; ", All.Select(p => $"{p.Name} = {p.Summary}"))}.");

    // (x - sigma v)/(1 + sigma) for v = noise - data.
    private static Value Flow(PredictionFrame f, Func<Value, Value, Value> withVelocity)
    {
        var sigma = f.Sigma;
        return f.B.Div(withVelocity(f.X, f.B.Mul(sigma, f.Output)), f.B.Add(sigma, 1));
    }

    // (x - sigma v/alpha)/(1 + sigma²)
    private static Value V(PredictionFrame f)
    {
        var sigma = f.Sigma;
        return f.B.Div(f.B.Sub(f.X, f.B.Mul(f.B.Div(sigma, f.Alpha), f.Output)), f.B.Add(f.B.Square(sigma), 1));
    }

    // Karras et al. 2022 (arXiv 2206.00364), table 1: c_skip x + c_out F(c_in x; ln(sigma)/4).
    private static Value Edm(PredictionFrame f)
    {
        var (b, sigma, variance) = (f.B, f.Sigma, f.SigmaData * f.SigmaData);
        var total = b.Add(b.Square(sigma), variance);
        return b.Add(b.Mul(b.Div(b.Scalar(variance), total), f.X), b.Mul(b.Div(b.Mul(sigma, f.SigmaData), b.Sqrt(total)), f.Output));
    }

    private static Value EdmScale(GraphBuilder b, Value sigma, double sigmaData) =>
        b.Reciprocal(b.Sqrt(b.Add(b.Square(sigma), sigmaData * sigmaData)));
}
