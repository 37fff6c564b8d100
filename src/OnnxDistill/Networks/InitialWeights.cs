using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Networks;

/// <summary>Laws of a layer's initial weights, by their usual names.</summary>
internal enum InitialLaw
{
    /// <summary>Uniform, variance 2 / (fan-in + fan-out).</summary>
    XavierUniform,
    /// <summary>Uniform, variance 1 / fan-in.</summary>
    KaimingUniform,
    /// <summary>Normal, variance 1 / fan-in.</summary>
    KaimingNormal,
    /// <summary>Normal, variance 1.</summary>
    Normal,
}

/// <summary>How a layer starts: a law, times a factor for weights and one for biases (Karras et al. 2022, released training/networks.py).</summary>
/// <param name="Law">The law.</param>
/// <param name="Weight">Factor of the weights.</param>
/// <param name="Bias">Factor of the biases, which are drawn as the weights are; 0 starts them at zero.</param>
internal readonly record struct InitialWeights(InitialLaw Law, double Weight = 1, double Bias = 0)
{
    /// <summary>Draws a tensor; stream and seed decide every number of it.</summary>
    public TensorData Draw(NoiseStream stream, double factor, long fanIn, long fanOut, params long[] dims)
    {
        var data = new float[dims.Aggregate(1L, static (n, d) => n * d)];
        if (factor == 0)
            return TensorData.Of(data, dims);
        var isNormal = Law is InitialLaw.KaimingNormal or InitialLaw.Normal;
        if (isNormal)
            stream.FillNormal(data, 0);
        else
            stream.FillUniform(data, 0);
        var variance = Law switch { InitialLaw.XavierUniform => 2.0 / (fanIn + fanOut), InitialLaw.Normal => 1, _ => 1.0 / fanIn };
        var deviation = Math.Sqrt(variance) * factor;
        for (var i = 0; i < data.Length; i++)
            // A uniform number on [-1, 1) has the variance 1/3.
            data[i] = (float)((isNormal ? data[i] : ((2.0 * data[i]) - 1) * Math.Sqrt(3)) * deviation);
        return TensorData.Of(data, dims);
    }
}
