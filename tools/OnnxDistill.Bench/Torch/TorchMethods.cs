using OnnxDistill.Methods;
using static TorchSharp.torch;

namespace OnnxDistill.Bench;

/// <summary>A method's student loss on libtorch.</summary>
internal interface ITorchMethod
{
    NoiseLaw FakeScoreNoise { get; }

    NoiseLaw StudentNoise { get; }

    /// <summary>The loss, summed over the batch.</summary>
    /// <param name="x">The student's samples.</param>
    /// <param name="sigma">Noise levels.</param>
    /// <param name="epsilon">Noise.</param>
    /// <param name="denoise">Teacher's and fake score's denoised samples of noisy ones.</param>
    Tensor StudentLoss(Tensor x, Tensor sigma, Tensor epsilon, Func<Tensor, (Tensor Teacher, Tensor FakeScore)> denoise);
}

/// <summary>The methods that the libtorch side knows.</summary>
internal static class TorchMethods
{
    public static ITorchMethod Of(IDistillationMethod method) => method.Options switch
    {
        DiffInstructOptions { FakeScoreUpdates: 1 } options => new DiffInstruct(options),
        SidOptions { FakeScoreUpdates: 1 } options => new Sid(options),
        _ => throw new NotSupportedException($"The libtorch side does not know '{method.Name}' with these options."),
    };

    // L = sum of sg[f - r] x.
    private sealed class DiffInstruct(DiffInstructOptions options) : ITorchMethod
    {
        public NoiseLaw FakeScoreNoise => options.FakeScoreNoise;

        public NoiseLaw StudentNoise => options.StudentNoise;

        public Tensor StudentLoss(Tensor x, Tensor sigma, Tensor epsilon, Func<Tensor, (Tensor Teacher, Tensor FakeScore)> denoise)
        {
            Tensor difference;
            using (no_grad())
            {
                var (r, f) = denoise(addcmul(x.detach(), sigma, epsilon, 1));
                difference = f - r;
            }
            return (difference * x).sum();
        }
    }

    // l = omega sum (r - f) [(r - x) - alpha (r - f)], omega = 1/sg[max(mean|x - r|, 1e-5)]; gradient also passes through both denoisers.
    private sealed class Sid(SidOptions options) : ITorchMethod
    {
        public NoiseLaw FakeScoreNoise => options.FakeScoreNoise;

        public NoiseLaw StudentNoise => options.StudentNoise;

        public Tensor StudentLoss(Tensor x, Tensor sigma, Tensor epsilon, Func<Tensor, (Tensor Teacher, Tensor FakeScore)> denoise)
        {
            var (r, f) = denoise(addcmul(x, sigma, epsilon, 1));
            Tensor omega;
            using (no_grad())
                omega = (x - r).abs_().flatten(1).mean([1]).clamp_(min: 1e-5).reciprocal_().mul_(options.LossScale);
            var delta = r - f;
            var product = delta * ((r - x) - delta * options.Alpha);
            return (product.flatten(1).sum(1) * omega).sum();
        }
    }
}
