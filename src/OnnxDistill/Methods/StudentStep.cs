using OnnxDistill.Graph.Model;

namespace OnnxDistill.Methods;

/// <summary>What score-based methods begin a student step with: a sample x of the student in training mode, noised to x_t = x + sigma epsilon, and both denoisers, in
/// inference mode, at work on it (methods.md section 0, trap 22).</summary>
/// <param name="X">The sample.</param>
/// <param name="Label">Its class.</param>
/// <param name="Sigma">The noise level, [N].</param>
/// <param name="Noisy">x_t.</param>
/// <param name="R">The teacher's r = D_phi(x_t; sigma).</param>
/// <param name="F">The fake score's f = D_psi(x_t; sigma).</param>
/// <param name="TeacherFeatures">What the method taps of the teacher.</param>
/// <param name="FakeFeatures">What the method taps of the fake score.</param>
internal sealed record StudentStep(Value X, Value? Label, Value Sigma, Value Noisy, Value R, Value F, IReadOnlyList<Value> TeacherFeatures, IReadOnlyList<Value> FakeFeatures)
{
    /// <summary>r - f.</summary>
    public Value Delta(LossContext c) => c.B.Sub(R, F);

    /// <summary>f - x.</summary>
    public Value Residual(LossContext c) => c.B.Sub(F, X);

    /// <summary>Draws latents, classes, levels and noise, and emits the networks.</summary>
    public static StudentStep Of(LossContext c, NoiseLaw law)
    {
        var (x, label, sigma, noisy) = NoisyStudent.Of(c, law);
        var r = c.Teacher(noisy, sigma, label, out var teacherFeatures);
        var (f, fakeFeatures) = c.DenoiseTapped(Roles.FakeScore, noisy, sigma, label);
        return new StudentStep(x, label, sigma, noisy, r, f, teacherFeatures, fakeFeatures);
    }
}
