using System.CommandLine;
using System.Globalization;
using OnnxDistill.Data;
using OnnxDistill.Graph.Io;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Teachers;

namespace OnnxDistill.Cli.Verbs;

/// <summary>Writes the exact denoiser of a Gaussian mixture, with the mixture's table beside it.</summary>
internal static class MixtureVerb
{
    public static Command Create()
    {
        var kind = new Argument<string>("NAME") { HelpName = "NAME", Description = "ring8: 8 Gaussians on a circle of radius 1, std 0.1. forty: 40 modes, means uniform in [-40,40]^2, std 1.3133." };
        kind.AcceptOnlyFromAmong("ring8", "forty");
        var output = new Option<string>("--output", "-o") { HelpName = "FOLDER", Description = "Folder for teacher.onnx and mixture.csv.", Required = true };
        var seed = new Option<long>("--seed") { HelpName = "S", Description = "Seed of the forty means.", DefaultValueFactory = _ => 0 };
        return Verb.Create("mixture", "Write the exact denoiser of a Gaussian mixture as a teacher.", [kind, output, seed], (parsed, report, _) =>
        {
            var (name, folder, s) = (parsed.GetValue(kind)!, parsed.GetValue(output)!, parsed.GetValue(seed));
            var mixture = name == "ring8" ? GaussianMixture.Ring(std: 0.1) : Forty(s);
            var source = name == "ring8" ? "exact mixture, 8 modes on a ring" : string.Create(CultureInfo.InvariantCulture, $"exact mixture, 40 modes, seed {s}");
            OutputFile.RequireFolder(folder);
            Directory.CreateDirectory(folder);
            var (teacher, table) = (Path.Combine(folder, "teacher.onnx"), Path.Combine(folder, "mixture.csv"));
            OnnxWriter.Write(MixtureTeacher.Build(mixture, source).Model, teacher);
            GaussianMixtureCsv.Write(table, mixture);
            report.Set("teacher", teacher);
            report.Set("mixture", table);
            report.Line($"{teacher}: D(x; sigma) of {mixture.ModeCount} modes ({source})\n{table}: weights, deviations and means");
            return ExitCodes.Done;
        });
    }

    private static GaussianMixture Forty(long seed)
    {
        var uniforms = new float[GaussianMixture.FortyModesUniforms];
        new NoiseStream(seed, StreamId.Named("forty/means")).FillUniform(uniforms, 0);
        return GaussianMixture.FortyModes(Array.ConvertAll(uniforms, u => (double)u));
    }
}
