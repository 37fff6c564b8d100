using System.Globalization;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Teachers;

/// <summary>
/// Does an imported denoiser behave like one? A sample that the teacher makes itself (D of pure noise at a high level) is noised at a
/// middle level: the denoised result must lie nearer to it than the noisy one, and at the smallest level D(x) must be close to x.
/// </summary>
/// <param name="MiddleGain">Mean squared error of x over that of D(x), at the middle level; over 1 means that it denoises.</param>
/// <param name="SmallestShift">Root mean square of D(x) - x over sigma, at the smallest level; about 1 for a denoiser, whatever its data.</param>
public sealed record TeacherCheck(double MiddleGain, double SmallestShift)
{
    private const int Count = 16;

    /// <summary>Runs the check.</summary>
    /// <exception cref="TeacherMismatchException">It does not denoise: the convention told is probably wrong.</exception>
    public static TeacherCheck Run(Denoiser teacher, string file, string prediction)
    {
        using var session = GraphSession.Create(teacher.Model, what: $"the teacher of '{file}'");
        var dimension = checked((int)teacher.Dimension);
        var noise = new NoiseStream(0, StreamId.Named("teacher-check"));
        float[] Draw(long step)
        {
            var data = new float[Count * dimension];
            noise.FillNormal(data, step);
            return data;
        }
        float[] Denoise(float[] x, double sigma)
        {
            var feeds = new Dictionary<string, TensorData>
            {
                [Denoiser.X] = TensorData.Of(x, [Count, .. teacher.DataShape]),
                [Denoiser.Sigma] = TensorData.Of([.. Enumerable.Repeat((float)sigma, Count)], Count),
            };
            if (teacher.Card.IsConditional)
                feeds[Denoiser.Label] = TensorData.Of([.. Enumerable.Range(0, Count).Select(i => (long)i % teacher.Card.Labels)], Count);
            return session.Run(feeds)[Denoiser.Denoised].As<float>().ToArray();
        }
        float[] AddNoise(float[] clean, double sigma, long step) => [.. clean.Zip(Draw(step), (c, n) => (float)(c + (sigma * n)))];

        // A few Euler steps down make a clean sample without any data at hand.
        var sigmaData = teacher.Card.SigmaData;
        double[] levels = [.. new[] { 20.0, 6, 2.5, 1.2, 0.6, 0.3, 0.1 }.Select(l => l * sigmaData / 0.5)];
        var x = Array.ConvertAll(Draw(0), n => (float)(n * levels[0]));
        for (var i = 0; i < levels.Length; i++)
        {
            var next = i + 1 < levels.Length ? levels[i + 1] : 0;
            var denoised = Denoise(x, levels[i]);
            x = [.. x.Zip(denoised, (a, d) => (float)(d + ((a - d) * next / levels[i])))];
        }

        var middle = sigmaData;
        var noisy = AddNoise(x, middle, 1);
        var gain = MeanSquare(noisy, x) / MeanSquare(Denoise(noisy, middle), x);
        var smallest = Math.Max(teacher.Card.SigmaMin, 0.01 * sigmaData);
        var almost = AddNoise(x, smallest, 2);
        var check = new TeacherCheck(gain, Math.Sqrt(MeanSquare(Denoise(almost, smallest), almost)) / smallest);
        if (!(gain > 1.2) || !(check.SmallestShift < 20))
        {
            throw new TeacherMismatchException($"'{file}' does not denoise when taken as '{prediction}': {check} "
                + "Is it really that prediction, with that direction of time and that range of the data? Nothing was written.");
        }
        return check;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"check: at sigma = sigma_data its error is {MiddleGain:F1} times smaller than the noise's (expected over 1.2); at the smallest level D moves x by {SmallestShift:F2} sigma (expected about 1).");

    private static double MeanSquare(float[] a, float[] b) => a.Zip(b, (p, q) => (double)(p - q) * (p - q)).Average();
}
