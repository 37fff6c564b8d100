using OnnxDistill.Recipes;
using static TorchSharp.torch;

namespace OnnxDistill.Bench;

/// <summary>
/// Adam with beta1 = 0 and the average of the weights in the fewest in-place operations, which here is faster than torch.optim.Adam
/// (TorchSharp's walks the parameters with about twice as many operations and keeps a first moment that equals the gradient).
/// </summary>
internal sealed class TorchAdam : IDisposable
{
    private readonly List<(Tensor Weights, Tensor SecondMoment, Tensor? Ema)> _parameters;
    private readonly OptimizerOptions _options;
    private long _step;

    public TorchAdam(IEnumerable<Tensor> parameters, OptimizerOptions options, bool ema)
    {
        if (options is not { Beta1: 0, WeightDecay: 0, ClipNorm: 0, ClipValue: 0 })
            throw new NotSupportedException("The libtorch side knows Adam with beta1 = 0, without decay and clipping, as the recipe has it.");
        _options = options;
        _parameters = [.. parameters.Select(p => (p, zeros_like(p), ema ? p.detach().clone() : null))];
    }

    /// <summary>The averages, in the order of the parameters.</summary>
    public IEnumerable<Tensor> Ema => _parameters.Select(p => p.Ema!);

    /// <summary>One update; gradients are dropped, so that the next backward pass writes instead of adding.</summary>
    public void Update(double learningRate, double emaBeta)
    {
        _step++;
        var scale = 1 / Math.Sqrt(1 - Math.Pow(_options.Beta2, _step));
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        foreach (var (weights, second, ema) in _parameters)
        {
            var gradient = weights.grad!;
            second.mul_(_options.Beta2).addcmul_(gradient, gradient, 1 - _options.Beta2);
            var denominator = second.sqrt().mul_(scale).add_(_options.Epsilon);
            weights.addcdiv_(gradient, denominator, -learningRate);
            ema?.lerp_(weights, (float)(1 - emaBeta));
            weights.grad = null;
        }
    }

    public void Dispose()
    {
        foreach (var (_, second, ema) in _parameters)
        {
            second.Dispose();
            ema?.Dispose();
        }
    }
}
