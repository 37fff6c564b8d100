using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;

namespace OnnxDistill.Bench;

/// <summary>Weights for <c>tools/bench_torch.py</c>, with one denoised batch that its networks have to reproduce.</summary>
internal static class WeightExport
{
    private const int Samples = 4;

    /// <summary>Writes <c>NAME.npz</c> for each subject that is there.</summary>
    public static void Write(string folder, string scratch)
    {
        foreach (var subject in WorkloadList.All.Select(w => w.Subject).DistinctBy(s => s.Name).Where(s => s.Missing is null))
        {
            var setup = Setup.Load(subject, subject.Prepare(scratch));
            var teacher = setup.Teacher;
            var arrays = teacher.AtAnyBatch().Parameters.Select(p => KeyValuePair.Create(p.Name, p.Constant!)); // a parameter is an initializer
            var file = Path.Combine(folder, $"{subject.Name}.npz");
            var settings = new Dictionary<string, double>
            {
                ["batch"] = setup.Task.Batch,
                ["sigma_data"] = setup.Task.SigmaData,
                ["sigma_init"] = setup.Task.SigmaInit,
                ["sigma_min"] = teacher.Card.SigmaMin,
                ["sigma_max"] = teacher.Card.SigmaMax,
            };
            NpzFile.Write(file, arrays.Concat(settings.Select(s => KeyValuePair.Create($"setting/{s.Key}", TensorData.Of([s.Value], 1)))).Concat(Reference(teacher).Select(a => KeyValuePair.Create($"reference/{a.Key}", a.Value))));
            Console.Error.WriteLine($"wrote {file}");
        }
    }

    private static Dictionary<string, TensorData> Reference(Denoiser teacher)
    {
        var x = new float[Samples * teacher.Dimension];
        new NoiseStream(0, StreamId.Named("reference")).FillNormal(x, 0);
        var arrays = new Dictionary<string, TensorData>
        {
            [Denoiser.X] = TensorData.Of(x, [Samples, .. teacher.DataShape]),
            [Denoiser.Sigma] = TensorData.Of([0.05f, 0.3f, 1, 8], Samples),
        };
        if (teacher.Card.IsConditional)
            arrays[Denoiser.Label] = TensorData.Of([0L, 3, 5, 9], Samples);
        using var session = GraphSession.Create(teacher.Model, null, teacher.What);
        arrays[Denoiser.Denoised] = session.Run(arrays, [Denoiser.Denoised])[Denoiser.Denoised];
        return arrays;
    }
}
