using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>Products that ONNX Runtime fuses with what stands around them.</summary>
internal static class MicrosoftFusions
{
    /// <summary>alpha * A' B' with the last two axes transposed on request, or the first one moved behind the batch.</summary>
    public static void MatMul(NodeRewriter r)
    {
        var (a, b) = (r.X, r.Node.Input(1));
        bool On(string name) => r.Node.Attributes.Int(name, 0) != 0;
        var needsRank = On("transA") || On("transB") || On("transBatchA") || On("transBatchB");
        if (needsRank && (a.KnownShape is null || b.KnownShape is null))
        {
            r.RefuseWithoutShapes("the rank of its inputs");
            return;
        }
        a = Transposed(r, a, On("transBatchA"), On("transA"), "left");
        b = Transposed(r, b, On("transBatchB"), On("transB"), "right");
        var alpha = r.Node.Attributes.Float("alpha", 1);
        r.Finish(alpha == 1 ? r.MatMul(a, b, "product") : r.Mul(r.MatMul(a, b, "product"), r.Scalar("alpha", alpha), "scaled"));
    }

    /// <summary>A convolution, a value added, an activation.</summary>
    public static void Conv(NodeRewriter r)
    {
        var attributes = r.Node.Attributes.With("activation", null).With("activation_params", null);
        var product = r.Emit("Conv", "conv", [r.X, r.Node.Input(1), r.Node.OptionalInput(2)], attributes);
        var parameters = r.Node.Attributes.FirstOrDefault(static a => a.Key == "activation_params").Value as float[] ?? [];
        Activate(r, r.AddIfAny(product, r.Node.OptionalInput(3), "with_sum"), parameters);
    }

    /// <summary>A Gemm and an activation.</summary>
    public static void Gemm(NodeRewriter r)
    {
        string[] names = ["activation_alpha", "activation_beta", "activation_gamma"];
        var attributes = names.Aggregate(r.Node.Attributes.With("activation", null), static (map, name) => map.With(name, null));
        var product = r.Emit("Gemm", "gemm", [r.X, r.Node.Input(1), r.Node.OptionalInput(2)], attributes);
        Activate(r, product, [.. names.Where(r.Node.Attributes.Has).Select(n => r.Node.Attributes.Float(n, 0))]);
    }

    /// <summary>A convolution whose channels come last, in the weights [O, kernel..., C] too.</summary>
    public static void NhwcConv(NodeRewriter r)
    {
        var weight = r.Transpose(r.Node.Input(1), "weight_channels_first", 0, 3, 1, 2);
        var x = r.Transpose(r.X, "channels_first", 0, 3, 1, 2);
        r.Finish(r.Transpose(r.Emit("Conv", "conv", [x, weight, r.Node.OptionalInput(2)], r.Node.Attributes), "channels_last", 0, 2, 3, 1));
    }

    private static Value Transposed(NodeRewriter r, Value x, bool batch, bool last, string role)
    {
        var order = Enumerable.Range(0, x.KnownShape?.Rank ?? 0).Select(static i => (long)i).ToList();
        // The batch form takes [M, batch..., K] for [batch..., M, K].
        if (batch && order.Count > 2)
            order = [.. order[1..^1], order[0], order[^1]];
        if (last && order.Count > 1)
            (order[^1], order[^2]) = (order[^2], order[^1]);
        return order.SequenceEqual(order.Order()) ? x : r.Transpose(x, role, [.. order]);
    }

    private static void Activate(NodeRewriter r, Value x, float[] parameters)
    {
        float Parameter(int index, float otherwise) => index < parameters.Length ? parameters[index] : otherwise;
        switch (r.Node.Attributes.Text("activation", ""))
        {
            case "" or "Identity":
                r.Finish(x);
                break;
            case var plain and ("Relu" or "Tanh" or "Sigmoid" or "Softplus" or "Softsign" or "HardSwish"):
                r.Replace(plain, [x]);
                break;
            case "LeakyRelu":
                r.Replace("LeakyRelu", [x], new AttributeMap(("alpha", Parameter(0, 0.01f))));
                break;
            case "HardSigmoid":
                r.Replace("HardSigmoid", [x], new AttributeMap(("alpha", Parameter(0, 0.2f)), ("beta", Parameter(1, 0.5f))));
                break;
            case "Clip":
                r.Replace("Clip", [x, r.Scalar("low", Parameter(0, float.MinValue)), r.Scalar("high", Parameter(1, float.MaxValue))]);
                break;
            case var other:
                r.Refuse($"the activation '{other}' is not known");
                break;
        }
    }
}
