using OnnxDistill.Graph.Model;

namespace OnnxDistill.Networks.Posteriors;

/// <summary>
/// An invertible map T of latents [N, D], given a context [N, C]: layers of an autoregressive rational-quadratic spline (Durkan et al. 2019, arXiv 1906.04032, section 3) whose
/// conditioner is a masked MLP, an exchange of first and last places, and a linear map L U. What depends on the context decides the map, and nothing else touches z,
/// so that ln|det dT/dz| is complete.
/// </summary>
internal static class PosteriorFlow
{
    /// <summary>T(z), and ln|det dT/dz| [N].</summary>
    public static (Value Z, Value LogDeterminant) Apply(Layers layers, FlowOptions options, Value z, Value context)
    {
        var b = layers.B;
        Value? total = null;
        for (var i = 0; i < options.Layers; i++)
        {
            var parameters = MaskedMlp.Apply(layers, $"flow.{i}.conditioner", z, context, options.Hidden, (3 * options.Bins) - 1);
            (z, var spline) = RationalQuadraticSpline.Apply(b, z, parameters, options.Bins, options.Bound);
            (z, var linear) = Linear(layers, $"flow.{i}.linear", z);
            var both = b.Add(b.ReduceSum(spline, [1], keepDims: false), linear);
            total = total is null ? both : b.Add(total, both);
        }
        return (z, total!); // there is at least one layer
    }

    // z reversed, times (L U)ᵀ, plus a shift; L has ones and U softplus numbers on the diagonal, so that ln|det| is the sum of their logarithms. It starts as the reversal alone.
    private static (Value Z, Value LogDeterminant) Linear(Layers layers, string name, Value z)
    {
        var b = layers.B;
        var size = z.Shape[1].Size;
        Value Matrix(Func<long, long, bool> isOne) => b.Constant(TensorData.Of(
            [.. Enumerable.Range(0, (int)(size * size)).Select(k => isOne(k / size, k % size) ? 1f : 0f)], size, size));
        Value Zeros(string kind, params long[] dims) => layers.Parameter($"{name}.{kind}", default, 0, size, size, dims);
        using var scope = b.Scope(name);
        var diagonal = b.Softplus(b.Add(Zeros("diagonal", size), Math.Log(Math.E - 1)));
        var lower = b.Add(b.Mul(Zeros("lower", size, size), Matrix(static (i, j) => i > j)), Matrix(static (i, j) => i == j));
        var upper = b.Add(b.Mul(Zeros("upper", size, size), Matrix(static (i, j) => i < j)), b.Mul(Matrix(static (i, j) => i == j), diagonal));
        var reversed = b.Gemm(z, Matrix((i, j) => i + j == size - 1));
        var mapped = b.Gemm(b.Gemm(reversed, upper, transposeB: true), lower, Zeros("shift", size), transposeB: true);
        return (mapped, b.ReduceSum(b.Log(diagonal), keepDims: false));
    }
}
