using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Methods;

namespace OnnxDistill.Tests.Teachers;

/// <summary>Raw models through a file and the importer, and what comes out at points.</summary>
internal static class ImportedRaw
{
    /// <summary>The teacher of a raw model, not checked.</summary>
    public static Denoiser Import(OnnxModel raw, ImportOptions options)
    {
        using var files = new TestFiles();
        OnnxWriter.Write(raw, files["raw.onnx"]);
        return TeacherImporter.Import(files["raw.onnx"], options);
    }

    /// <summary>The teacher, checked.</summary>
    public static (Denoiser Teacher, TeacherCheck Check) Check(OnnxModel raw, ImportOptions options)
    {
        using var files = new TestFiles();
        OnnxWriter.Write(raw, files["raw.onnx"]);
        var imported = TeacherImporter.ImportChecked(files["raw.onnx"], options);
        return (imported.Teacher, imported.Check ?? throw new AssertFailedException("The teacher was not checked."));
    }

    /// <summary>D at points, one level each.</summary>
    public static double[] Denoise(Denoiser teacher, float[] x, float[] sigma, long[]? labels = null)
    {
        using var session = GraphSession.Create(teacher.Model);
        var feeds = new Dictionary<string, TensorData>
        {
            [Denoiser.X] = TensorData.Of(x, [sigma.Length, .. teacher.DataShape]),
            [Denoiser.Sigma] = TensorData.Of(sigma, sigma.Length),
        };
        if (labels is not null)
            feeds[Denoiser.Label] = TensorData.Of(labels, labels.Length);
        return session.Run(feeds)[Denoiser.Denoised].ToDoubles();
    }

    /// <summary>Compares a teacher of <see cref="RawMixtures.Mixture"/> with the exact posterior mean in double, at levels from end to end.</summary>
    /// <param name="teacher">The teacher.</param>
    /// <param name="range">Smallest and largest level.</param>
    /// <param name="tolerance">Allowed at small levels; grows with sigma, because x is of its size.</param>
    public static void AssertExact(Denoiser teacher, (double Min, double Max) range, double tolerance)
    {
        const int count = 40;
        var sigma = Enumerable.Range(0, count).Select(i => (float)teacher.RoundSigma(range.Min * Math.Pow(range.Max / range.Min, i / (count - 1.0)))).ToArray();
        var noise = new TestRandom(7).Normals(2 * count);
        // Near the data at small levels, as samples are.
        var x = noise.Select((n, i) => (float)(((i / 2) % 2 == 0 ? RawMixtures.Mixture.Mean(0)[i % 2] : RawMixtures.Mixture.Mean(1)[i % 2]) + (n * Math.Sqrt(0.0025 + (sigma[i / 2] * sigma[i / 2]))))).ToArray();
        var found = Denoise(teacher, x, sigma);
        var exact = new MixtureDenoiser(RawMixtures.Mixture);
        for (var i = 0; i < count; i++)
        {
            var expected = exact.Denoise([x[2 * i], x[(2 * i) + 1]], sigma[i]);
            for (var j = 0; j < 2; j++)
                Assert.AreEqual(expected[j], found[(2 * i) + j], tolerance * (1 + sigma[i]), $"sigma = {sigma[i]}, x = {x[(2 * i) + j]}");
        }
    }
}
