using System.CommandLine;
using OnnxDistill.Methods;

namespace OnnxDistill.Cli.Verbs;

/// <summary>The main job: a recipe in, a run folder with a one-step generator out.</summary>
internal static class DistillVerb
{
    public static Command Create() => RunVerb.Create("distill",
        "Distil a teacher into a one-step generator, as a recipe says; Ctrl+C saves the run, --resume goes on with it.",
        static method => method != DenoisingScoreMatching.MethodName);
}

/// <summary>Makes a teacher: a denoiser fitted by denoising score matching.</summary>
internal static class TrainVerb
{
    public static Command Create() => RunVerb.Create("train",
        "Fit a teacher, a denoiser D(x; sigma), by denoising score matching, as a recipe says.",
        static method => method == DenoisingScoreMatching.MethodName);
}
