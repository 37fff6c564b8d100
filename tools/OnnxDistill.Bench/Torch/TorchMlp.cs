using static TorchSharp.torch;

namespace OnnxDistill.Bench;

/// <summary>OnnxDistill's MLP: SiLU layers on [c_in x, c_noise repeated].</summary>
internal sealed class TorchMlp : ITorchNetwork
{
    private readonly List<(Tensor Weight, Tensor Bias)> _layers;

    public TorchMlp(TorchParameters parameters)
    {
        const string weight = ".weight";
        _layers = [.. parameters.Names.Where(n => n.EndsWith(weight, StringComparison.Ordinal))
            .Select(n => (parameters.TakeTurned(n), parameters.Take($"{n[..^weight.Length]}.bias")))];
        parameters.RequireAllTaken();
    }

    public Tensor Forward(Tensor x, Tensor noise, Tensor? label)
    {
        var h = cat([x, noise.expand(x.shape)], 1);
        for (var i = 0; i < _layers.Count; i++)
        {
            h = nn.functional.linear(h, _layers[i].Weight, _layers[i].Bias);
            if (i < _layers.Count - 1)
                h = nn.functional.silu(h);
        }
        return h;
    }
}
