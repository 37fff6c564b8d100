using System.Globalization;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Sampling;

namespace OnnxDistill.Teachers.Checking;

/// <summary>Runs a teacher for <see cref="TeacherCheck"/>. Owns its session.</summary>
internal sealed class TeacherProbe : IDisposable
{
    /// <summary>Largest violation of orthogonality. An exact denoiser stays below 0.02 by chance (8192 numbers) and the coarse sampler, networks fitted to mixtures below 0.03, a small trained
    /// DiT below 0.06. Most wrong conventions are off by 0.3 and more; the nearest that was found, minus the noise of a VP network taken as its score, by 0.12.</summary>
    public const double Allowed = 0.1;

    // A quick look at a neighbour has to sort out, not to decide.
    private const double QuicklyAllowed = 0.3;

    private const int LevelCount = 9, Numbers = 8192, FewestSamples = 8;

    // Levels outside this many standard deviations of the data tell little: what a network makes of them hardly matters to its samples, so training hardly decides it.
    private const double LowestInStd = 0.015, HighestInStd = 60;

    // Samples end as the answer at the smallest level and lack the data's detail of that size.
    private const double DetailInLowest = 3;

    // Fewer steps leave samples a little beside the data, which shows at small levels first.
    private const double LowestQuickly = 0.2;

    private readonly Denoiser _teacher;
    private readonly GraphSession _session;
    private readonly int _count, _size, _steps;
    private readonly (double Min, double Max) _ends;
    private readonly bool _quick;

    /// <summary>A probe.</summary>
    /// <param name="teacher">The teacher.</param>
    /// <param name="quick">Fewer samples and steps, and a wider tolerance.</param>
    public TeacherProbe(Denoiser teacher, bool quick = false)
    {
        _quick = quick;
        _teacher = teacher;
        _session = GraphSession.Create(teacher.Model, what: teacher.What);
        _size = checked((int)teacher.Dimension);
        _count = quick ? Math.Max(Numbers / 8 / _size, FewestSamples / 2) : Math.Max(Numbers / _size, FewestSamples);
        // Steps cost little where samples are small, and the sampler's own error is what limits the check there.
        _steps = _size <= 64 && !quick ? 32 : 16;
        var card = teacher.Card;
        _ends = (card.SigmaMin, Math.Max(card.SigmaMin * 2, Math.Min(card.SigmaMax, 2 * HighestInStd * card.SigmaData)));
    }

    public TeacherCheck Check()
    {
        var clean = Sample();
        if (!Array.TrueForAll(clean, double.IsFinite))
            return new TeacherCheck { Faults = ["its own samples are not finite"] };
        var mean = clean.Average();
        var std = Math.Sqrt(clean.Average(v => (v - mean) * (v - mean)));
        var sorted = clean.Order().ToArray();
        var check = new TeacherCheck { SampleStd = std, SampleRange = (sorted[clean.Length / 100], sorted[^(1 + (clean.Length / 100))]) };
        if (!(std > 0))
            return check with { Faults = ["its own samples are all one and the same number"] };
        var levels = Levels(std).Select((sigma, i) => At(clean, mean, sigma, i + 1)).ToList();
        check = check with { Levels = levels };
        return check with { Faults = [.. FaultsOf(check, _quick ? QuicklyAllowed : Allowed), .. RangeFaults(check.SampleRange), .. _quick ? [] : MixedSamples(clean)] };
    }

    public void Dispose() => _session.Dispose();

    private IEnumerable<double> Levels(double std)
    {
        // A wrong convention makes samples of any size: those far from what the card says do not decide where to look.
        var typical = Math.Clamp(std, _teacher.Card.SigmaData / 10, _teacher.Card.SigmaData * 10);
        var (low, high) = (Math.Max(DetailInLowest * _ends.Min, (_quick ? LowestQuickly : LowestInStd) * typical), Math.Min(_ends.Max, HighestInStd * typical));
        return Enumerable.Range(0, LevelCount).Select(i => _teacher.RoundSigma(high * Math.Pow(low / high, i / (LevelCount - 1.0)))).Distinct();
    }

    // Heun's method on a coarse grid: good enough to be near the data.
    private double[] Sample()
    {
        var levels = TeacherSampler.Levels(_teacher.Card with { SigmaMin = _ends.Min, SigmaMax = _ends.Max }, new SamplerOptions { Steps = _steps }).Select(s => s > 0 ? _teacher.RoundSigma(s) : 0).Distinct().ToArray();
        var x = Array.ConvertAll(Draw(0), n => n * levels[0]);
        for (var i = 0; i + 1 < levels.Length && Array.TrueForAll(x, double.IsFinite); i++)
        {
            var (from, to) = (levels[i], levels[i + 1]);
            var slope = Slope(x, from);
            var next = Move(x, slope, to - from);
            if (to > 0)
                next = Move(x, [.. slope.Zip(Slope(next, to), static (a, b) => (a + b) / 2)], to - from);
            x = next;
        }
        return x;
    }

    private LevelCheck At(double[] clean, double mean, double sigma, int draw)
    {
        var noise = Draw(draw);
        var noisy = Move(clean, noise, sigma);
        var denoised = Denoise(noisy, sigma);
        double Sum(Func<int, double> term) => Enumerable.Range(0, clean.Length).Sum(term);
        double Residual(int i) => (noisy[i] - denoised[i]) / sigma;
        var power = Sum(i => noise[i] * noise[i]);
        return new LevelCheck(sigma, Sum(i => (noise[i] - Residual(i)) * Residual(i)) / power,
            Sum(i => (clean[i] - denoised[i]) * (denoised[i] - mean)) / Sum(i => (clean[i] - mean) * (clean[i] - mean)),
            Sum(i => Residual(i) * Residual(i)) / power, sigma * sigma * power / Sum(i => (denoised[i] - clean[i]) * (denoised[i] - clean[i])));
    }

    private static IEnumerable<string> FaultsOf(TeacherCheck check, double allowed)
    {
        foreach (var l in check.Levels)
        {
            if (!(Math.Abs(l.Noise) <= allowed) || !(Math.Abs(l.Data) <= allowed))
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"at sigma = {l.Sigma:G3} D is no posterior mean: what it misses goes along with the noise that it finds by {l.Noise:G3} and with "
                    + $"its own answer by {l.Data:G3} (both are 0 for a denoiser, allowed {allowed}); the residual's variance is {l.Residual:G3} of the noise's (at most 1)");
            }
        }
    }

    private IEnumerable<string> RangeFaults((double Low, double High) range)
    {
        if (_teacher.Card.Data != "image" || _teacher.Card.Range == Importing.DataRange.Free)
            yield break;
        var isWide = range.Low < -1.5 || range.High > 1.5;
        var isHalf = range.Low > -0.3 || range.High < 0.3;
        if (isWide || isHalf)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"its own samples lie in [{range.Low:G3}, {range.High:G3}], expected about [-1, 1]: the network's images have another --range, ")
                + "or none at all (--range=free, for latents)";
        }
    }

    // A network that was exported for one time or one batch may run with others and mix the samples up.
    private IEnumerable<string> MixedSamples(double[] clean)
    {
        const int few = 3;
        double[] sigmas = [.. Enumerable.Range(0, few).Select(i => _teacher.RoundSigma(_ends.Min * Math.Pow(_ends.Max / _ends.Min, (i + 1.0) / (few + 1))))];
        var x = clean[..(few * _size)];
        var together = Denoise(x, sigmas, 0);
        for (var i = 0; i < few; i++)
        {
            var alone = Denoise(x[(i * _size)..((i + 1) * _size)], [sigmas[i]], i);
            var scale = alone.Max(Math.Abs) + 1e-6;
            // Other kernels may serve another batch: rounding, far below what another sample's time does.
            if (!(alone.Zip(together.Skip(i * _size), static (a, t) => Math.Abs(a - t)).Max() <= 0.01 * scale))
            {
                yield return "samples of a batch change each other's answers: the network was exported for a fixed batch, for one time a batch, or in training mode";
                yield break;
            }
        }
    }

    private double[] Draw(int draw)
    {
        var data = new float[_count * _size];
        new NoiseStream(0, StreamId.Named("teacher-check")).FillNormal(data, draw);
        return Array.ConvertAll(data, static v => (double)v);
    }

    private double[] Slope(double[] x, double sigma) => [.. x.Zip(Denoise(x, sigma), (a, d) => (a - d) / sigma)];

    private static double[] Move(double[] x, double[] along, double by) => [.. x.Zip(along, (a, v) => a + (by * v))];

    private double[] Denoise(double[] x, double sigma) => Denoise(x, [.. Enumerable.Repeat(sigma, x.Length / _size)], 0);

    private double[] Denoise(double[] x, double[] sigmas, int firstLabel)
    {
        var count = sigmas.Length;
        var feeds = new Dictionary<string, TensorData>
        {
            [Denoiser.X] = TensorData.Of(Array.ConvertAll(x, static v => (float)v), [count, .. _teacher.DataShape]),
            [Denoiser.Sigma] = TensorData.Of(Array.ConvertAll(sigmas, static s => (float)s), count),
        };
        if (_teacher.Card.IsConditional)
            feeds[Denoiser.Label] = TensorData.Of([.. Enumerable.Range(firstLabel, count).Select(i => (long)i % _teacher.Card.Labels)], count);
        try
        {
            return _session.Run(feeds, [Denoiser.Denoised])[Denoiser.Denoised].ToDoubles();
        }
        catch (GraphRunException error)
        {
            throw new TeacherMismatchException($"{_teacher.What} does not run on a batch of {count}: export it with a batch that is left open. ONNX Runtime says: {error.Message}", error);
        }
    }
}
