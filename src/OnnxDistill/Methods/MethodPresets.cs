using System.Text.Json.Nodes;

namespace OnnxDistill.Methods;

/// <summary>Training defaults that papers share; recipes override any of them.</summary>
internal static class MethodPresets
{
    /// <summary>Diff-Instruct's and SiD's: Adam with betas (0, 0.999), eps 1e-8, constant learning rate 1e-5 (methods.md 3.1, 3.5).</summary>
    public static JsonObject ScoreDistillation(double sigmaInit) => new()
    {
        ["training"] = new JsonObject
        {
            ["sigmaInit"] = sigmaInit,
            ["optimizer"] = new JsonObject { ["learningRate"] = 1e-5, ["beta1"] = 0.0, ["beta2"] = 0.999, ["epsilon"] = 1e-8 },
        },
    };
}
