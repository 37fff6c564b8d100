using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff;

/// <summary>Operators that are left without a rule on purpose, and what to do about each.</summary>
internal static class GradientRefusals
{
    private const string Quantized = "quantised networks are not differentiated: rounding has no slope; export the model in float32",
        Recurrent = "recurrent networks are not differentiated; export the recurrence unrolled, as MatMul, Sigmoid and Tanh",
        Spectral = "Fourier transforms are not differentiated; write the transform as a MatMul with the matrix of its cosines and sines";

    private static readonly Dictionary<string, string> Reasons = new(StringComparer.Ordinal)
    {
        ["ConvInteger"] = Quantized,
        ["DFT"] = Spectral,
        ["DequantizeLinear"] = Quantized,
        ["DynamicQuantizeLinear"] = Quantized,
        ["GRU"] = Recurrent,
        ["LSTM"] = Recurrent,
        ["MatMulInteger"] = Quantized,
        ["QLinearConv"] = Quantized,
        ["QLinearMatMul"] = Quantized,
        ["QuantizeLinear"] = Quantized,
        ["RNN"] = Recurrent,
        ["STFT"] = Spectral,
    };

    /// <summary>Why an operator has no rule.</summary>
    public static string ReasonOf(Node node) => Reasons.GetValueOrDefault(node.OpType) is { } reason && node.Domain.Length == 0 ? reason : "no gradient rule";

    /// <summary>Whether something differentiable may pass through the node in another guise, such as quantised numbers: a path must not end
    /// there unseen, which would make the gradient zero without a word.</summary>
    public static bool CarriesOn(Node node) => node.Domain.Length == 0 && Reasons.ContainsKey(node.OpType);
}
