using System.Globalization;
using OnnxDistill.Data;
using OnnxDistill.Export;
using OnnxDistill.Graph.Model;
using OnnxDistill.Imaging;
using OnnxDistill.Methods;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;

namespace OnnxDistill.Training;

/// <summary>
/// What the teacher and the fake score make of the same noised samples of the student, side by side: the difference of the two is what the student learns from, and where they agree it
/// has arrived. Its noise is a function of the place in the picture alone and its sessions are its own, so a run's numbers are the same with and without it.
/// </summary>
internal sealed class DenoisedPicture
{
    private const long Seed = 0;
    private const int Images = 6, Points = 500, SmallestCell = 56;

    // Fine noise, where details are judged; about the data's own size; and coarse, where the whole is. In units of sigma_data.
    private static readonly double[] Levels = [0.5, 2, 8];
    private static readonly StreamId Noise = StreamId.Named("snapshot/denoised");

    private readonly TrainingProgram _program;
    private readonly Denoiser _teacher;
    private readonly AuxiliaryNetwork? _fakeScore;
    private readonly double[] _sigmas;

    private DenoisedPicture(TrainingProgram program, Denoiser teacher)
    {
        (_program, _teacher) = (program, teacher);
        _fakeScore = program.Recipe.Method.Auxiliaries.FirstOrDefault(a => a.Role == Roles.FakeScore && a.Build is null);
        _sigmas = [.. Levels.Select(l => teacher.RoundSigma(Math.Clamp(l * teacher.Card.SigmaData, teacher.Card.SigmaMin, teacher.Card.SigmaMax))).Distinct()];
    }

    /// <summary>The picture for a run; null where no teacher denoises, or the recipe wants none.</summary>
    public static DenoisedPicture? For(TrainingProgram program) =>
        program is { Teacher: { } teacher, IsFit: false } && program.Recipe.Recipe.Evaluation.DenoisedPicture ? new DenoisedPicture(program, teacher) : null;

    /// <summary>Draws it.</summary>
    /// <param name="engine">Whose fake score.</param>
    /// <param name="samples">Samples of its student, classes going round.</param>
    /// <returns>A PNG file's bytes.</returns>
    public byte[] Draw(TrainingEngine engine, SampleSet samples)
    {
        var isImage = samples.Dims.Length == 3;
        var shown = samples.Take(isImage ? Images : Points);
        var noised = Noised(shown);
        var teacher = Denoise(_teacher.Model, "the teacher", noised, _program.Recipe.Recipe.Guidance);
        var fakeScore = _fakeScore is null ? null : Denoise(FakeScore(engine, _fakeScore), "the fake score", noised, 1);
        return new PictureStrip([.. isImage ? Grids(shown, noised, teacher, fakeScore) : Scatters(shown, teacher, fakeScore)]).ToPng();
    }

    private static IEnumerable<StripItem> Column(string group, string label, SampleSet images) =>
        [new StripItem(group, label, new ImageGrid(images) { Columns = 1, Scale = Math.Max(1, (SmallestCell + images.Dims[2] - 1) / images.Dims[2]) }.ToPng())];

    private IEnumerable<StripItem> Grids(SampleSet shown, SampleSet noised, SampleSet teacher, SampleSet? fakeScore)
    {
        var columns = Column("", "student", shown);
        for (var level = 0; level < _sigmas.Length; level++)
        {
            var group = LevelName(level);
            columns = columns.Concat(Column(group, "noised", Part(noised, level))).Concat(Column(group, "teacher", Part(teacher, level)));
            if (fakeScore is not null)
                columns = columns.Concat(Column(group, "fake", Part(fakeScore, level)));
        }
        return columns;
    }

    private IEnumerable<StripItem> Scatters(SampleSet shown, SampleSet teacher, SampleSet? fakeScore) => Enumerable.Range(0, _sigmas.Length)
        .Select(level => Scatter(LevelName(level), fakeScore is null ? null : Part(teacher, level), Part(fakeScore ?? teacher, level), fakeScore is null ? "teacher" : "fake score"))
        .Prepend(Scatter("no noise", null, shown, "student"));

    private static StripItem Scatter(string title, SampleSet? teacher, SampleSet points, string label) => new("", "",
        new ScatterPlot(title, teacher, points) { StudentLabel = label, Size = 360 }.ToPng());

    private string LevelName(int level) => string.Create(CultureInfo.InvariantCulture, $"noise {_sigmas[level]:0.###}");

    private SampleSet Part(SampleSet all, int level) => new(all.Dims, all.Data[(level * all.Data.Length / _sigmas.Length)..((level + 1) * all.Data.Length / _sigmas.Length)]);

    // The same noise at every level, so that levels can be compared.
    private SampleSet Noised(SampleSet clean)
    {
        var noise = new float[clean.Data.Length];
        new NoiseStream(Seed, Noise).FillNormal(noise, 0);
        return new SampleSet(clean.Dims, [.. _sigmas.SelectMany(sigma => clean.Data.Select((x, i) => x + ((float)sigma * noise[i])))]);
    }

    private SampleSet Denoise(OnnxModel model, string what, SampleSet noised, double guidance)
    {
        using var session = GraphSession.Create(model, what: what);
        var (count, classes) = (noised.Count, _teacher.Card.Labels);
        var perLevel = count / _sigmas.Length;
        float[] Run(Func<int, long> label)
        {
            var feeds = new Dictionary<string, TensorData>
            {
                [Denoiser.X] = TensorData.Of(noised.Data, [count, .. _teacher.DataShape]),
                [Denoiser.Sigma] = TensorData.Of([.. Enumerable.Range(0, count).Select(i => (float)_sigmas[i / perLevel])], count),
            };
            if (classes > 0)
                feeds[Denoiser.Label] = TensorData.Of([.. Enumerable.Range(0, count).Select(i => label(i % perLevel))], count);
            return session.Run(feeds, [Denoiser.Denoised])[Denoiser.Denoised].As<float>().ToArray();
        }

        var denoised = Run(i => i % classes);
        if (guidance == 1 || classes == 0)
            return new SampleSet(noised.Dims, denoised);
        var without = Run(_ => _teacher.Card.NullLabel);
        return new SampleSet(noised.Dims, [.. denoised.Zip(without, (d, n) => n + ((float)guidance * (d - n)))]);
    }

    private OnnxModel FakeScore(TrainingEngine engine, AuxiliaryNetwork auxiliary)
    {
        var initial = _program.Initial!; // what is trained as a denoiser starts as one
        var network = initial.AtAnyBatch();
        return GeneratorBuilder.BuildDenoiser(initial, RunExport.Weights(engine, Roles.FakeScore, OptimizerGraph.Weights), auxiliary.Adapt?.Invoke(network) ?? network);
    }
}
