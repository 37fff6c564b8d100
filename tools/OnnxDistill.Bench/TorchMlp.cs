using OnnxDistill.Networks;
using static TorchSharp.torch;

namespace OnnxDistill.Bench;

/// <summary>EDM's coefficients for a batch of noise levels (see OnnxDistill.Networks.EdmPreconditioning), [N, 1] each.</summary>
internal sealed record TorchCoefficients(Tensor In, Tensor Skip, Tensor Out, Tensor Noise)
{
    public static TorchCoefficients Of(Tensor sigma, double sigmaData)
    {
        var total = sigma * sigma + (sigmaData * sigmaData);
        var scaleIn = total.rsqrt();
        return new(scaleIn, (sigmaData * sigmaData) / total, sigma * sigmaData * scaleIn, sigma.log() * 0.25);
    }

    /// <summary>The same coefficients outside of every dispose scope: for a noise level that never changes.</summary>
    public TorchCoefficients Kept() => new(In.MoveToOuterDisposeScope(), Skip.MoveToOuterDisposeScope(), Out.MoveToOuterDisposeScope(),
        Noise.MoveToOuterDisposeScope());
}

/// <summary>The same network as OnnxDistill's: SiLU layers on [c_in x, c_noise repeated], in EDM's preconditioning.</summary>
internal sealed class TorchMlp : IDisposable
{
    private readonly List<(Tensor Weight, Tensor Bias)> _layers = [];

    /// <summary>Takes over the weights of a template, turned to libtorch's [outputs, inputs].</summary>
    public TorchMlp(Network template, bool trained)
    {
        foreach (var (name, weight) in template.Parameters.Where(p => p.Shape.Rank == 2).Select(p => (p.Name, Value: p)))
        {
            Names.Add(name[..^".weight".Length]);
            var bias = template.Parameters.Single(p => p.Name == $"{Names[^1]}.bias");
            using var stored = tensor(weight.Constant!.As<float>().ToArray(), weight.Shape.Sizes());
            _layers.Add((stored.t().contiguous().requires_grad_(trained), tensor(bias.Constant!.As<float>().ToArray()).requires_grad_(trained)));
        }
    }

    /// <summary>Layers in order.</summary>
    public List<string> Names { get; } = [];

    /// <summary>Weights and biases, layer by layer.</summary>
    public IEnumerable<Tensor> Parameters => _layers.SelectMany(l => new[] { l.Weight, l.Bias });

    /// <summary>D(x; sigma).</summary>
    public Tensor Denoise(Tensor x, TorchCoefficients c)
    {
        var h = cat([c.In * x, c.Noise.expand(x.shape)], 1);
        for (var i = 0; i < _layers.Count; i++)
        {
            h = nn.functional.linear(h, _layers[i].Weight, _layers[i].Bias);
            if (i < _layers.Count - 1)
                h = nn.functional.silu(h);
        }
        return addcmul(c.Skip * x, c.Out, h, 1);
    }

    public void Dispose()
    {
        foreach (var parameter in Parameters)
            parameter.Dispose();
    }
}
