using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;

namespace OnnxDistill.Methods;

/// <summary>
/// rho = q_t(x_t)/p_t(x_t) without a discriminator: the teacher's density, which an exact mixture tells, over the student's. That one is the fake score's where it is a mixture
/// too; else the mean over the batch's other samples x_j of N(x_t; x_j, sigma²), an unbiased estimate of p_t (for points: its variance grows with the dimension).
/// </summary>
internal static class DensityRatio
{
    private const double MostLogarithm = 20;

    /// <summary>What a method that asks for it taps.</summary>
    public static IReadOnlyList<FeatureTap> Taps { get; } = [new(Roles.Teacher, MixtureTeacher.LogDensity), new(Roles.FakeScore, MixtureTeacher.LogDensity) { IsOptional = true }];

    /// <summary>rho, [N].</summary>
    public static Value Exact(LossContext c, StudentStep step)
    {
        var b = c.B;
        var student = Find(c, Roles.FakeScore, step.FakeFeatures) ?? BatchLogDensity(c, step);
        var teacher = Find(c, Roles.Teacher, step.TeacherFeatures)!; // its tap is not optional
        return b.StopGradient(b.Exp(b.Clip(b.Sub(teacher, student), -MostLogarithm, MostLogarithm)));
    }

    private static Value? Find(LossContext c, string role, IReadOnlyList<Value> features)
    {
        var place = c.Task.Features.GetValueOrDefault(role, []).ToList().FindIndex(f => f.Tensor == MixtureTeacher.LogDensity);
        return place < 0 ? null : features[place];
    }

    private static Value BatchLogDensity(LossContext c, StudentStep step)
    {
        var b = c.B;
        var (batch, dimension) = (c.Task.Batch, step.X.Shape.ElementCount / c.Task.Batch);
        var flat = Shape.Of(batch, dimension);
        var offset = b.Sub(b.Unsqueeze(b.Reshape(step.Noisy, flat), 1), b.Unsqueeze(b.Reshape(step.X, flat), 0));
        var variance = b.Unsqueeze(b.Square(step.Sigma), 1);
        var exponent = b.Div(b.ReduceSum(b.Square(offset), [2], keepDims: false), b.Mul(variance, -2));
        // A sample does not tell its own density: its noise would always find it.
        var self = new float[batch * batch];
        for (var i = 0; i < batch; i++)
            self[(i * batch) + i] = -1e30f;
        var others = b.ReduceLogSumExp(b.Add(exponent, b.Constant(TensorData.Of(self, batch, batch))), [1], keepDims: false);
        var normal = b.Mul(b.Log(b.Mul(step.Sigma, Math.Sqrt(2 * Math.PI))), dimension);
        return b.Sub(b.Sub(others, normal), b.Scalar(Math.Log(Math.Max(1, batch - 1))));
    }
}
