using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Tests.Teachers;

/// <summary>Every schedule in its usual time form and the time forms beside that, read as the papers write them: sigma and alpha of the time, where the importer has the time of
/// sigma. One row a schedule, one a form.</summary>
internal static class RawFrames
{
    public static readonly RawFrame Vp = new("vp", "", static (b, time) => Integral(b, time) is var (half, decay)
        // sigma² = e^B - 1 = 2 e^(B/2) sinh(B/2), which does not cancel.
        ? (b.Sqrt(b.Mul(b.Div(Sinh(b, half), decay), 2)), decay) : default, (0.001, 152));

    public static readonly RawFrame Flow = new("flow", "", static (b, t) => (b.Div(t, Rest(b, t)), Rest(b, t)), (0.002, 80));

    public static readonly RawFrame ReversedFlow = new("reversed-flow", "", static (b, t) => (b.Div(Rest(b, t), t), t), (0.002, 80));

    public static readonly RawFrame Edm = new("edm", "sigma", static (b, t) => (t, One(b)), (0.002, 80));

    public static readonly RawFrame EdmLog = new("edm", "c-noise", static (b, t) => (b.Exp(b.Mul(t, 4)), One(b)), (0.002, 80));

    public static readonly RawFrame Ddpm = Table("ddpm", NoiseTables.Ddpm(1000));

    public static readonly RawFrame[] All =
    [
        Table("cosine", NoiseTables.Cosine(1000)),
        Ddpm,
        Table("ddpm:steps=50,beta_start=0.001,beta_end=0.3", NoiseTables.Betas(50, 0.001, 0.3, static beta => beta)),
        Edm,
        EdmLog,
        new("edm", "log-sigma", static (b, t) => (b.Exp(t), One(b)), (0.002, 80)),
        Flow,
        Table("iddpm", NoiseTables.ImprovedDdpm(1000)),
        ReversedFlow,
        Table("scaled-linear", NoiseTables.ScaledLinear(1000)),
        new("sub-vp", "", static (b, time) => Integral(b, time) is var (half, decay) ? (b.Mul(Sinh(b, half), 2), decay) : default, (2e-4, 152)),
        new("ve", "sigma", static (b, t) => (t, One(b)), (0.02, 100)),
        new("ve", "log-half-sigma", static (b, t) => (b.Mul(b.Exp(t), 2), One(b)), (0.02, 100)),
        new("ve", "t", static (b, t) => (b.Mul(b.Exp(b.Mul(t, Math.Log(100 / 0.02))), 0.02), One(b)), (0.02, 100)),
        Vp,
        // Near t = 1 a time in float32 does not tell the level well: sigma grows as 1/(1 - t).
        new("vp-cosine", "", Cosine, (0.01, 30)),
    ];

    /// <summary>A network that is told the step of a table as a real number, interpolated over ln(sigma).</summary>
    public static RawFrame Table(string schedule, double[] products)
    {
        var sigmas = Array.ConvertAll(products, static p => Math.Sqrt((1 - p) / p));
        return new RawFrame(schedule, "", (b, step) =>
        {
            var logs = b.Constant(TensorData.Of(Array.ConvertAll(sigmas, static s => (float)Math.Log(s)), sigmas.Length));
            var low = b.Clip(b.Emit("Floor", [step], ElementType.Float32, step.KnownShape), 0, sigmas.Length - 2);
            var below = b.Gather(logs, b.Cast(low, ElementType.Int64), 0);
            var above = b.Gather(logs, b.Cast(b.Add(low, 1), ElementType.Int64), 0);
            var sigma = b.Exp(b.Add(below, b.Mul(b.Sub(step, low), b.Sub(above, below))));
            return (sigma, b.Reciprocal(b.Sqrt(b.Add(b.Square(sigma), 1))));
            // A cosine's last steps are so far apart that a step in float32 does not tell sigma well.
        }, (sigmas[0], Math.Min(sigmas[^1], 160)))
        { IsTable = true };
    }

    // B/2 and e^(-B/2) of B = 19.9 t²/2 + 0.1 t, told 999 t.
    private static (Value Half, Value Decay) Integral(GraphBuilder b, Value time)
    {
        var t = b.Div(time, 999);
        var half = b.Mul(b.Mul(b.Add(b.Mul(t, 19.9 / 2), 0.1), t), 0.5);
        return (half, b.Exp(b.Neg(half)));
    }

    // alpha = cos(a)/cos(a0); sigma² = (cos²(a0) - cos²(a))/cos²(a) = sin(a - a0) sin(a + a0)/cos²(a).
    private static (Value Sigma, Value Alpha) Cosine(GraphBuilder b, Value t)
    {
        var quarter = Math.PI / 2 / 1.008;
        var angle = b.Mul(b.Add(t, 0.008), quarter);
        var square = b.Mul(b.Sin(b.Mul(t, quarter)), b.Sin(b.Add(angle, 0.008 * quarter)));
        return (b.Div(b.Sqrt(square), b.Cos(angle)), b.Div(b.Cos(angle), Math.Cos(0.008 * quarter)));
    }

    private static Value Sinh(GraphBuilder b, Value x) => b.Emit("Sinh", [x], ElementType.Float32, x.KnownShape);

    private static Value Rest(GraphBuilder b, Value t) => b.Sub(b.Scalar(1), t);

    private static Value One(GraphBuilder b) => b.Constant(TensorData.Of([1f], 1, 1));
}

/// <summary>Cumulative products of 1 - beta, a second time and in the way of diffusers' and EDM's sources.</summary>
internal static class NoiseTables
{
    public static double[] Ddpm(int steps) => Betas(steps, 1e-4, 0.02, static beta => beta);

    public static double[] ScaledLinear(int steps) => Betas(steps, Math.Sqrt(0.00085), Math.Sqrt(0.012), static root => root * root);

    public static double[] Betas(int steps, double first, double last, Func<double, double> beta)
    {
        var (products, product) = (new double[steps], 1.0);
        for (var i = 0; i < steps; i++)
            products[i] = product *= 1 - beta(first + ((last - first) / (steps - 1) * i));
        return products;
    }

    public static double[] Cosine(int steps)
    {
        var (products, product) = (new double[steps], 1.0);
        for (var i = 0; i < steps; i++)
        {
            double Bar(double t) => Math.Pow(Math.Cos((t + 0.008) / 1.008 * Math.PI / 2), 2);
            products[i] = product *= 1 - Math.Min(1 - (Bar((i + 1.0) / steps) / Bar((double)i / steps)), 0.999);
        }
        return products;
    }

    // By EDM's recursion over u, products as 1/(1 + u²).
    public static double[] ImprovedDdpm(int steps)
    {
        var u = new double[steps + 1];
        double Bar(int j) => Math.Pow(Math.Sin(0.5 * Math.PI * j / steps / 1.008), 2);
        for (var j = steps; j > 0; j--)
            u[j - 1] = Math.Sqrt((((u[j] * u[j]) + 1) / Math.Max(Bar(j - 1) / Bar(j), 0.001)) - 1);
        return [.. Enumerable.Range(0, steps).Select(step => 1 / (1 + (u[steps - 1 - step] * u[steps - 1 - step])))];
    }
}
