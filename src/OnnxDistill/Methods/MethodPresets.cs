using System.Text.Json.Nodes;

namespace OnnxDistill.Methods;

/// <summary>Training defaults that papers share; recipes override any of them.</summary>
internal static class MethodPresets
{
    /// <summary>Diff-Instruct's and SiD's: Adam with betas (0, 0.999), eps 1e-8, constant learning rate 1e-5 (methods.md 3.1, 3.5).</summary>
    public static JsonObject ScoreDistillation(double sigmaInit, double clipValue = 0) => new()
    {
        ["training"] = new JsonObject
        {
            ["sigmaInit"] = sigmaInit,
            ["optimizer"] = new JsonObject { ["learningRate"] = 1e-5, ["beta1"] = 0.0, ["beta2"] = 0.999, ["epsilon"] = 1e-8, ["clipValue"] = clipValue },
        },
    };

    /// <summary>DMD's, DMD2's and f-distill's: AdamW with betas (0.9, 0.999), weight decay 0.01, gradients of at most norm 10, the student at the largest noise (methods.md 3.2, 3.3, 3.7).</summary>
    public static JsonObject DistributionMatching(double learningRate) => new()
    {
        ["training"] = new JsonObject
        {
            ["sigmaInit"] = 80.0,
            ["optimizer"] = new JsonObject { ["learningRate"] = learningRate, ["beta1"] = 0.9, ["beta2"] = 0.999, ["epsilon"] = 1e-8, ["weightDecay"] = 0.01, ["clipNorm"] = 10.0 },
        },
    };
}
