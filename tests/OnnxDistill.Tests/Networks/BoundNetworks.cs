using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Tests.Data;

namespace OnnxDistill.Tests.Networks;

/// <summary>Networks whose weights a test feeds.</summary>
internal static class BoundNetworks
{
    /// <summary>The network with those of its parameters as inputs.</summary>
    public static OnnxModel Bound(Network network, IEnumerable<string> parameters)
    {
        var b = new GraphBuilder("bound");
        var inputs = network.Model.Graph.Inputs.ToDictionary(i => i.Name, i => b.Input(i.Name, i.Type, i.Shape));
        var values = network.Parameters.Where(p => parameters.Contains(p.Name)).ToDictionary(p => p.Name, p => b.Input(p.Name, p.Type, p.Shape));
        foreach (var (name, value) in network.Apply(b, "network", inputs, values))
            b.Output(name, value);
        return new OnnxModel(b.Graph);
    }

    /// <summary>A tensor with normal numbers of that deviation added.</summary>
    public static TensorData Moved(TensorData tensor, TestRandom random, double size) =>
        TensorData.Of([.. tensor.ToDoubles().Zip(random.Normals((int)tensor.ElementCount), (v, n) => (float)(v + (size * n)))], tensor.Dims);
}
