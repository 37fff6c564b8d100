using static TorchSharp.torch;

namespace OnnxDistill.Bench;

/// <summary>D(x; sigma) = Skip x + Out F(In x, Noise): a denoiser's coefficients for a batch of noise levels, [N, 1, ...] each.</summary>
internal sealed record TorchCoefficients(Tensor In, Tensor Skip, Tensor Out, Tensor Noise)
{
    /// <summary>EDM's (see OnnxDistill.Networks.EdmPreconditioning).</summary>
    public static TorchCoefficients Edm(Tensor sigma, double sigmaData)
    {
        var total = sigma * sigma + (sigmaData * sigmaData);
        var scaleIn = total.rsqrt();
        return new(scaleIn, (sigmaData * sigmaData) / total, sigma * sigmaData * scaleIn, sigma.log() * 0.25);
    }

    /// <summary>A rectified flow's: t = sigma/(1 + sigma), D = [x - sigma v(x/(1 + sigma), t)]/(1 + sigma).</summary>
    public static TorchCoefficients Flow(Tensor sigma)
    {
        var shrink = (sigma + 1).reciprocal_();
        var time = sigma * shrink;
        return new(shrink, shrink, time.neg(), time);
    }

    /// <summary>The same coefficients outside of every dispose scope: for a noise level that never changes.</summary>
    public TorchCoefficients Kept()
    {
        foreach (var tensor in Tensors)
            tensor.MoveToOuterDisposeScope();
        return this;
    }

    /// <summary>Releases kept coefficients.</summary>
    public void Release()
    {
        foreach (var tensor in Tensors)
            tensor.Dispose();
    }

    private IEnumerable<Tensor> Tensors => [In, Skip, Out, Noise];
}
