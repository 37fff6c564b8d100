using System.Globalization;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Students;
using OnnxDistill.Teachers;

namespace OnnxDistill.Export;

/// <summary>An exported generator against the student as training composes it, on the same latents.</summary>
/// <param name="LargestDifference">Largest absolute difference over all batch sizes.</param>
/// <param name="LargestValue">Largest absolute value of the student's samples, for scale.</param>
/// <param name="Batches">The batch sizes that were tried.</param>
public sealed record GeneratorCheck(double LargestDifference, double LargestValue, int[] Batches)
{
    /// <summary>Allowed difference, relative to the largest value: float32 sums in another order.</summary>
    public const double Tolerance = 1e-5;

    private static readonly int[] Sizes = [1, 3, 8];

    /// <summary>Whether the generator is the student.</summary>
    public bool Passed => LargestDifference <= Tolerance * Math.Max(1, LargestValue);

    /// <summary>Runs both.</summary>
    /// <param name="generator">The exported model.</param>
    /// <param name="denoiser">The student, a denoiser.</param>
    /// <param name="weights">Values of its parameters.</param>
    /// <param name="sigmaInit">Noise level of the one step.</param>
    /// <exception cref="CheckFailedException">They differ by more than the tolerance.</exception>
    public static GeneratorCheck Run(OnnxModel generator, Denoiser denoiser, IReadOnlyDictionary<string, TensorData> weights, double sigmaInit) =>
        Run(generator, new DenoiserStudent(denoiser, sigmaInit), weights);

    /// <summary>Runs both.</summary>
    /// <param name="generator">The exported model.</param>
    /// <param name="student">The student's architecture.</param>
    /// <param name="weights">Values of its parameters.</param>
    /// <exception cref="CheckFailedException">They differ by more than the tolerance.</exception>
    public static GeneratorCheck Run(OnnxModel generator, IStudent student, IReadOnlyDictionary<string, TensorData> weights)
    {
        var batch = Sizes.Max();
        var size = Size(student);
        var z = new float[batch * size];
        new NoiseStream(0, StreamId.Named("generator-check")).FillNormal(z, 0);
        var labels = student.Labels > 0 ? Enumerable.Range(0, batch).Select(i => (long)i % student.Labels).ToArray() : null;
        var expected = Student(student, weights, z, labels, batch);

        using var session = GraphSession.Create(generator, what: "the exported generator");
        var difference = 0.0;
        foreach (var count in Sizes)
        {
            var actual = session.Run(Feeds(student, z, labels, count)).Values.First().As<float>();
            for (var i = 0; i < actual.Length; i++)
                difference = Math.Max(difference, double.IsFinite(actual[i]) ? Math.Abs((double)actual[i] - expected[i]) : double.PositiveInfinity);
        }
        var check = new GeneratorCheck(difference, expected.Max(v => Math.Abs((double)v)), Sizes);
        return check.Passed ? check : throw new CheckFailedException(string.Create(CultureInfo.InvariantCulture,
            $"The exported generator differs from the student by {check.LargestDifference:G3}, allowed {Tolerance} of {check.LargestValue:G3}. Nothing was written; please report this model."));
    }

    private static int Size(IStudent student) => checked((int)student.LatentShape.Aggregate(1L, static (n, d) => n * d));

    // The student as loss graphs have it: normalised, static shapes, weights as inputs.
    private static float[] Student(IStudent student, IReadOnlyDictionary<string, TensorData> weights, float[] z, long[]? labels, int batch)
    {
        var network = student.AtBatch(batch);
        var b = new GraphBuilder("student");
        var latent = b.Input(GeneratorBuilder.Latent, ElementType.Float32, Shape.Of([batch, .. student.LatentShape]));
        var label = labels is null ? null : b.Input(Denoiser.Label, ElementType.Int64, Shape.Of(batch));
        var parameters = network.Parameters.ToDictionary(p => p.Name, p => b.Input($"student/{p.Name}", ElementType.Float32, p.Shape));
        b.Output("x", student.Emit(b, "student", network, latent, label, parameters));
        using var session = GraphSession.Create(new OnnxModel(b.Graph), what: "the student");
        var feeds = Feeds(student, z, labels, batch);
        foreach (var parameter in network.Parameters)
            feeds[$"student/{parameter.Name}"] = weights[parameter.Name];
        return session.Run(feeds)["x"].As<float>().ToArray();
    }

    private static Dictionary<string, TensorData> Feeds(IStudent student, float[] z, long[]? labels, int count)
    {
        var feeds = new Dictionary<string, TensorData>
        {
            [GeneratorBuilder.Latent] = TensorData.Of(z.AsSpan(0, count * Size(student)), [count, .. student.LatentShape]),
        };
        if (labels is not null)
            feeds[Denoiser.Label] = TensorData.Of(labels.AsSpan(0, count), count);
        return feeds;
    }
}
