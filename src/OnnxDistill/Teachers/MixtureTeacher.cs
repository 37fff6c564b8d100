using OnnxDistill.Data;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;

namespace OnnxDistill.Teachers;

/// <summary>
/// The exact denoiser of a Gaussian mixture with modes N(m_k, s_k² I) and weights w_k. At noise level sigma, with v_k = s_k² + sigma²:
/// the posterior of the modes is r = softmax_k(ln w_k - D/2 ln v_k - |x - m_k|²/(2 v_k)) and
/// D(x; sigma) = sum_k r_k (s_k² x + sigma² m_k)/v_k.
/// </summary>
public static class MixtureTeacher
{
    /// <summary>Name of a tensor [N] of the graph beside its output: the log-density of x under the mixture with noise of level sigma.</summary>
    public const string LogDensity = "log_density";

    /// <summary>The denoiser, with a symbolic batch and no trainable parameter.</summary>
    public static Denoiser Build(GaussianMixture mixture, string source = "exact Gaussian mixture")
    {
        var (modes, dimension) = (mixture.ModeCount, mixture.Dimension);
        var b = new GraphBuilder("mixture");
        var batch = Dim.Named("N");
        var x = b.Input(Denoiser.X, ElementType.Float32, Shape.Of(batch, dimension));
        var sigma = b.Input(Denoiser.Sigma, ElementType.Float32, Shape.Of(batch));

        var logWeights = Row(b, [.. mixture.Weights.ToArray().Select(w => Math.Log(w))]);
        var modeVariance = Row(b, [.. mixture.Stds.ToArray().Select(s => s * s)]);
        var means = Enumerable.Range(0, modes).SelectMany(k => mixture.Mean(k).ToArray()).Select(m => (float)m).ToArray();

        var noiseVariance = b.Square(b.PerSample(sigma, 2));
        var variance = b.Add(noiseVariance, modeVariance);
        var offset = b.Sub(b.Unsqueeze(x, 1), b.Constant(TensorData.Of(means, 1, modes, dimension)));
        var squaredDistance = b.ReduceSum(b.Square(offset), [2], keepDims: false);
        var exponent = b.Sub(b.Sub(logWeights, b.Mul(b.Log(variance), dimension / 2.0)), b.Div(squaredDistance, b.Mul(variance, 2)));
        var weighted = b.Div(b.Softmax(exponent, 1), variance);
        var fromX = b.Mul(x, b.ReduceSum(b.Mul(weighted, modeVariance), [1]));
        var fromMeans = b.Mul(noiseVariance, b.MatMul(weighted, b.Constant(TensorData.Of(means, modes, dimension))));
        // Beside the way to the output: what a method may tap.
        var logDensity = b.Sub(b.ReduceLogSumExp(exponent, [1], keepDims: false), b.Scalar(dimension / 2.0 * Math.Log(2 * Math.PI)));
        logDensity.Name = LogDensity;
        b.Output(Denoiser.Denoised, b.Add(fromX, fromMeans));

        var model = new OnnxModel(b.Graph);
        Card(mixture, source).WriteTo(model);
        return new Denoiser(model, "the mixture");
    }

    /// <summary>The card of any teacher of this mixture; sigma_data is the root mean square distance from the mean, per coordinate.</summary>
    public static TeacherCard Card(GaussianMixture mixture, string source)
    {
        var sigmaData = SigmaData(mixture);
        return new TeacherCard
        {
            SigmaData = sigmaData,
            SigmaMin = 0.002 * sigmaData / 0.5,
            SigmaMax = 80 * sigmaData / 0.5,
            Data = "points",
            Licence = "MIT",
            Source = source,
        };
    }

    private static double SigmaData(GaussianMixture mixture)
    {
        var (mean, square) = (new double[mixture.Dimension], 0.0);
        for (var k = 0; k < mixture.ModeCount; k++)
        {
            for (var i = 0; i < mixture.Dimension; i++)
            {
                mean[i] += mixture.Weights[k] * mixture.Mean(k)[i];
                square += mixture.Weights[k] * ((mixture.Mean(k)[i] * mixture.Mean(k)[i]) + (mixture.Stds[k] * mixture.Stds[k]));
            }
        }
        return Math.Sqrt((square - mean.Sum(m => m * m)) / mixture.Dimension);
    }

    private static Value Row(GraphBuilder b, double[] values) =>
        b.Constant(TensorData.Of(Array.ConvertAll(values, v => (float)v), 1, values.Length));
}
