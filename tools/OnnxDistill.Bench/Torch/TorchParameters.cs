using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using static TorchSharp.torch;

namespace OnnxDistill.Bench;

/// <summary>A network's parameters as leaves of libtorch's graph, by OnnxDistill's names. A network takes each of them once. Owns them.</summary>
internal sealed class TorchParameters(Network template, bool trained) : IDisposable
{
    private readonly List<(string Name, Tensor Tensor, bool Turned)> _taken = [];

    /// <summary>The parameters in the order in which the network took them.</summary>
    public IEnumerable<Tensor> All => _taken.Select(p => p.Tensor);

    /// <summary>Names of the template's parameters.</summary>
    public IEnumerable<string> Names => template.Parameters.Select(p => p.Name);

    /// <summary>A parameter as it is stored, or with its numbers in another shape.</summary>
    public Tensor Take(string name, params long[] dims)
    {
        var stored = Stored(name);
        return Keep(name, tensor(stored.As<float>().ToArray(), dims.Length > 0 ? dims : stored.Dims), turned: false);
    }

    /// <summary>A layer's weight and bias, as they are stored.</summary>
    public (Tensor Weight, Tensor Bias) Affine(string name) => (Take($"{name}.weight"), Take($"{name}.bias"));

    /// <summary>The weight of a layer, stored [inputs, outputs], as torch's [outputs, inputs].</summary>
    public Tensor TakeTurned(string name)
    {
        var stored = Stored(name);
        using var asStored = tensor(stored.As<float>().ToArray(), stored.Dims);
        using var turned = asStored.t();
        return Keep(name, turned.contiguous(), turned: true);
    }

    /// <summary>Says that the network is complete.</summary>
    /// <exception cref="InvalidOperationException">It left parameters out.</exception>
    public void RequireAllTaken()
    {
        var left = Names.Except(_taken.Select(p => p.Name)).ToList();
        if (left.Count > 0)
            throw new InvalidOperationException($"The libtorch side does not use the parameters {string.Join(", ", left)}.");
    }

    /// <summary>Whether the graph that follows records gradients of these parameters.</summary>
    public void Require(bool gradients)
    {
        foreach (var parameter in All)
            parameter.requires_grad = gradients;
    }

    /// <summary>Values that stand beside the parameters (or the parameters themselves), in OnnxDistill's layout.</summary>
    public Dictionary<string, float[]> InStoredLayout(IEnumerable<Tensor> values) => _taken.Zip(values).ToDictionary(p => p.First.Name, p =>
    {
        using var scope = NewDisposeScope();
        var plain = p.First.Turned ? p.Second.detach().t().contiguous() : p.Second.detach();
        return plain.data<float>().ToArray();
    });

    public void Dispose()
    {
        foreach (var parameter in All)
            parameter.Dispose();
    }

    private TensorData Stored(string name) => template.Parameters.FirstOrDefault(p => p.Name == name)?.Constant
        ?? throw new InvalidOperationException($"The network has no parameter '{name}'. It has: {string.Join(", ", Names)}.");

    private Tensor Keep(string name, Tensor value, bool turned)
    {
        _taken.Add((name, value.requires_grad_(trained), turned));
        return value;
    }
}
