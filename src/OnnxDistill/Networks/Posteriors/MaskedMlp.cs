using OnnxDistill.Graph.Model;

namespace OnnxDistill.Networks.Posteriors;

/// <summary>
/// An MLP that gives numbers for every place of z which depend on the places before it alone, and on a context (MADE, Germain et al. 2015, arXiv 1502.03509): units have
/// degrees, and one sees those of at most its own. Degree of place j of z: j + 1; of the context: 0; of what is given for place i: i.
/// </summary>
internal static class MaskedMlp
{
    /// <summary>z [N, D] and the context [N, C] to [N, D, count].</summary>
    public static Value Apply(Layers layers, string name, Value z, Value context, IReadOnlyList<int> hidden, int count)
    {
        var b = layers.B;
        var size = (int)z.Shape[1].Size;
        int[] degrees = [.. Enumerable.Range(1, size), .. Enumerable.Repeat(0, (int)context.Shape[1].Size)];
        var h = b.Concat(1, z, context);
        for (var i = 0; i < hidden.Count; i++)
        {
            int[] next = [.. Enumerable.Range(0, hidden[i]).Select(unit => unit % size)];
            h = b.Silu(Layer(layers, $"{name}.hidden.{i}", h, degrees, next));
            degrees = next;
        }
        int[] last = [.. Enumerable.Range(0, size * count).Select(unit => unit / count)];
        return b.Reshape(Layer(layers, $"{name}.output", h, degrees, last), Shape.Of(z.Shape[0], size, count));
    }

    private static Value Layer(Layers layers, string name, Value x, int[] from, int[] to)
    {
        var b = layers.B;
        using var scope = b.Scope(name);
        var initial = PosteriorTrunk.Initial;
        var weight = layers.Parameter($"{name}.weight", initial, initial.Weight, from.Length, to.Length, to.Length, from.Length);
        var bias = layers.Parameter($"{name}.bias", initial, initial.Bias, from.Length, to.Length, to.Length);
        var mask = b.Constant(TensorData.Of([.. to.SelectMany(t => from.Select(f => f <= t ? 1f : 0f))], to.Length, from.Length));
        return b.Gemm(x, b.Mul(weight, mask), bias, transposeB: true);
    }
}
