using System.Globalization;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Students;
using OnnxDistill.Teachers;

namespace OnnxDistill.Export;

/// <summary>An exported generator against the student as training composes it, on the same latents, in units of samples.</summary>
/// <param name="LargestDifference">Largest absolute difference over all batch sizes.</param>
/// <param name="LargestValue">Largest absolute value of the student's samples, for scale.</param>
/// <param name="Batches">The batch sizes that were tried.</param>
public sealed record GeneratorCheck(double LargestDifference, double LargestValue, int[] Batches)
{
    /// <summary>Allowed difference of fp32, relative to the largest value: float32 sums in another order.</summary>
    public const double Tolerance = 1e-5;

    /// <summary>Allowed root mean square of fp16's differences, relative to the samples': products round by 2^-12 in the mean, some tens of layers add up in squares, and
    /// ten times that is left for networks that amplify. A graph that overflows or lost a layer is off by as much as the samples are large.</summary>
    public const double HalfTolerance = 0.03;

    /// <summary>The same for int8 weights: a weight rounds by its channel's largest over 127 x sqrt(12), about one part in a hundred of a usual one, added up likewise. What
    /// that costs is for the comparison of samples to tell; this finds scales along a wrong axis.</summary>
    public const double Int8Tolerance = 0.2;

    private const double ByteStep = 1 / 255.0;

    private static readonly int[] Sizes = [1, 3, 8];

    /// <summary>Root mean square of the differences, relative to that of the student's samples.</summary>
    public double RelativeError { get; init; }

    /// <summary>What the generator's weights are in.</summary>
    public ExportPrecision Precision { get; init; }

    /// <summary>Whether its images are bytes, which are half a step of 1/127.5 away from what they stand for.</summary>
    public bool IsByte { get; init; }

    /// <summary>Whether the generator is the student.</summary>
    public bool Passed => Precision == ExportPrecision.Float32 ? LargestDifference <= (Tolerance * Math.Max(1, LargestValue)) + (IsByte ? ByteStep : 0)
        : RelativeError <= RelativeTolerance;

    /// <summary>What has to hold, in words.</summary>
    public string Allowed => Precision == ExportPrecision.Float32
        ? string.Create(CultureInfo.InvariantCulture, $"largest difference <= {Tolerance} x max(1, largest value){(IsByte ? " + 1/255" : "")}")
        : string.Create(CultureInfo.InvariantCulture, $"relative root mean square <= {RelativeTolerance:G3}");

    private double RelativeTolerance => (Precision == ExportPrecision.Float16 ? HalfTolerance : Int8Tolerance) + (IsByte ? ByteStep : 0);

    /// <summary>Runs both.</summary>
    /// <param name="generator">The exported model.</param>
    /// <param name="denoiser">The student, a denoiser.</param>
    /// <param name="weights">Values of its parameters.</param>
    /// <param name="sigmaInit">Noise level of the one step.</param>
    /// <exception cref="CheckFailedException">They differ by more than the tolerance.</exception>
    public static GeneratorCheck Run(OnnxModel generator, Denoiser denoiser, IReadOnlyDictionary<string, TensorData> weights, double sigmaInit) =>
        Run(generator, new DenoiserStudent(denoiser, sigmaInit), weights);

    /// <summary>Runs both; of the generator's metadata follow its precision and whether it clamps.</summary>
    /// <param name="generator">The exported model.</param>
    /// <param name="student">The student's architecture.</param>
    /// <param name="weights">Values of its parameters.</param>
    /// <exception cref="CheckFailedException">They differ by more than the tolerance.</exception>
    public static GeneratorCheck Run(OnnxModel generator, IStudent student, IReadOnlyDictionary<string, TensorData> weights)
    {
        var batch = Sizes.Max();
        var z = new float[batch * Size(student)];
        new NoiseStream(0, StreamId.Named("generator-check")).FillNormal(z, 0);
        var labels = student.Labels > 0 ? Enumerable.Range(0, batch).Select(i => (long)i % student.Labels).ToArray() : null;
        var expected = Student(student, weights, z, labels, batch);
        if (generator.Metadata.ContainsKey(GeneratorMetadata.Unclamped))
            expected = Array.ConvertAll(expected, static x => Math.Clamp(x, -1, 1));

        using var session = GraphSession.Create(generator, what: "the exported generator");
        var (largest, squares, ofExpected) = (0.0, 0.0, 0.0);
        foreach (var count in Sizes)
        {
            var actual = GeneratorPixels.Floats(session.Run(Feeds(student, z, labels, count)).Values.First());
            for (var i = 0; i < actual.Length; i++)
            {
                var difference = double.IsFinite(actual[i]) ? Math.Abs((double)actual[i] - expected[i]) : double.PositiveInfinity;
                largest = Math.Max(largest, difference);
                squares += difference * difference;
                ofExpected += (double)expected[i] * expected[i];
            }
        }
        var check = new GeneratorCheck(largest, expected.Max(static v => Math.Abs((double)v)), Sizes)
        {
            RelativeError = Math.Sqrt(squares / Math.Max(ofExpected, double.Epsilon)),
            Precision = ExportPrecisions.Of(generator),
            IsByte = session.Outputs[0].Type == ElementType.UInt8,
        };
        return check.Passed ? check : throw new CheckFailedException(string.Create(CultureInfo.InvariantCulture,
            $"The exported generator differs from the student by {check.LargestDifference:G3} (samples up to {check.LargestValue:G3}), root mean square {check.RelativeError:G3} of theirs; allowed: {check.Allowed}. Nothing was written; ")
            + (check.Precision == ExportPrecision.Float32 ? "please report this model." : $"this network does not bear {check.Precision.Name()}: export it in fp32, or please report it if it should."));
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
