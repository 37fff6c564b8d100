using OnnxDistill.Data;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Teachers;

namespace OnnxDistill.Tests.Sampling;

/// <summary>Teachers whose samples are known.</summary>
internal static class TestTeachers
{
    public const double Mean = 0.7, Std = 0.4;

    /// <summary>The exact denoiser of N(<see cref="Mean"/>, <see cref="Std"/>²) on a line.</summary>
    public static Denoiser Gaussian() => MixtureTeacher.Build(new GaussianMixture([1], [[Mean]], [Std]));

    /// <summary>The same in the plane, as a rectified flow's network behind the convention.</summary>
    public static Denoiser GaussianFlow() => Flow((b, z, t) => RawNetworks.FlowVelocity(b, z, t, Mean, Std));

    /// <summary>A rectified flow's network, in the plane, behind the convention.</summary>
    public static Denoiser Flow(Func<GraphBuilder, Value, Value, Value> velocity) =>
        ImportedRaw.Import(RawNetworks.Model(velocity), new ImportOptions { Prediction = "flow" });

    /// <summary>Velocity of the mixture of N(-1, 0.2²) and N(1, 0.2²) in each coordinate: with v = (1 - t)² s² + t² the clean sample expected is
    /// ((1 - t) s² z + t² tanh((1 - t) z / v)) / v, and the velocity (z - that)/t.</summary>
    public static Value TwoModes(GraphBuilder b, Value z, Value t)
    {
        const double variance = 0.2 * 0.2;
        var time = b.PerSample(t, 2);
        var rest = b.Sub(b.Scalar(1), time);
        var total = b.Add(b.Mul(b.Square(rest), variance), b.Square(time));
        var mode = b.Tanh(b.Div(b.Mul(rest, z), total));
        var clean = b.Div(b.Add(b.Mul(b.Mul(rest, z), variance), b.Mul(b.Square(time), mode)), total);
        return b.Div(b.Sub(z, clean), time);
    }

    /// <summary>Denoises everything to its class as a number; classes 0 to 2, and 3 for none.</summary>
    public static Denoiser Classes(params long[] dataShape) => Build(dataShape, new TeacherCard { Labels = 3, NullLabel = 3 },
        (b, x, _, label) => b.Add(b.Mul(x, 0), b.PerSample(b.Cast(label!, ElementType.Float32), x.Shape.Rank)));

    /// <summary>Knows the levels 1, 2 and 4, where it halves x, and answers any other with what is not a number.</summary>
    public static Denoiser ThreeLevels() => Build([1], new TeacherCard { SigmaMin = 1, SigmaMax = 4, Levels = new NoiseLevels([1, 2, 4]) }, (b, x, sigma, _) =>
    {
        var known = b.Or(b.Or(b.Equal(sigma, b.Scalar(1)), b.Equal(sigma, b.Scalar(2))), b.Equal(sigma, b.Scalar(4)));
        return b.Where(b.Unsqueeze(known, 1), b.Mul(x, 0.5), b.Scalar(double.NaN));
    });

    private static Denoiser Build(long[] dataShape, TeacherCard card, Func<GraphBuilder, Value, Value, Value?, Value> denoise)
    {
        var b = new GraphBuilder("teacher");
        var batch = Dim.Named("N");
        var x = b.Input(Denoiser.X, ElementType.Float32, Shape.Of([batch, .. dataShape.Select(d => (Dim)d)]));
        var sigma = b.Input(Denoiser.Sigma, ElementType.Float32, Shape.Of(batch));
        var label = card.IsConditional ? b.Input(Denoiser.Label, ElementType.Int64, Shape.Of(batch)) : null;
        b.Output(Denoiser.Denoised, denoise(b, x, sigma, label));
        var model = new OnnxModel(b.Graph);
        card.WriteTo(model);
        return new Denoiser(model);
    }
}
