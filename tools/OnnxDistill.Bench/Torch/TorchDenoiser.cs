using static TorchSharp.torch;

namespace OnnxDistill.Bench;

/// <summary>A raw network on libtorch.</summary>
internal interface ITorchNetwork
{
    /// <summary>F(x, noise[, label]): scaled samples [N, ...] at noise inputs [N or 1, 1, ...].</summary>
    Tensor Forward(Tensor x, Tensor noise, Tensor? label);
}

/// <summary>A denoiser on libtorch. Owns its parameters.</summary>
internal sealed class TorchDenoiser(ITorchNetwork network, TorchParameters parameters, Func<Tensor, TorchCoefficients> coefficients) : IDisposable
{
    public TorchParameters Parameters => parameters;

    /// <summary>The coefficients of noise levels [N, 1, ...] or [1, 1, ...].</summary>
    public TorchCoefficients Coefficients(Tensor sigma) => coefficients(sigma);

    /// <summary>D(x; sigma).</summary>
    public Tensor Denoise(Tensor x, TorchCoefficients c, Tensor? label) => addcmul(c.Skip * x, c.Out, network.Forward(c.In * x, c.Noise, label), 1);

    public void Dispose() => parameters.Dispose();
}
