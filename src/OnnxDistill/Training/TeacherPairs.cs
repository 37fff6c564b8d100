using System.Runtime.InteropServices;
using OnnxDistill.Data;
using OnnxDistill.Data.Pairs;
using OnnxDistill.Methods;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Sampling;
using OnnxDistill.Teachers;

namespace OnnxDistill.Training;

/// <summary>The pairs of a run: read where they lie, else drawn from the teacher and put there. They are a function of options and teacher, so that it
/// does not matter which; only pairs that somebody else has made are part of what a state belongs to.</summary>
public sealed class TeacherPairs
{
    // Batches between two looks at whether the user wants to stop, on each rank.
    private const int BatchesAtOnce = 8;

    private readonly Denoiser _teacher;
    private readonly PairOptions _options;
    private readonly SamplerOptions _sampler;
    private readonly Func<IRankGroup, DeviceOptions> _device;
    private readonly int[] _dims;
    private PairOrigin? _origin;
    private PairSet? _set;
    private string? _digest;
    private bool _standsIn;

    internal TeacherPairs(Denoiser teacher, PairOptions options, double guidance, Func<IRankGroup, DeviceOptions> device)
    {
        (_teacher, _options, _device) = (teacher, options, device);
        _sampler = new SamplerOptions { Steps = options.Steps, Guidance = options.Guidance ?? guidance };
        _dims = Array.ConvertAll(teacher.DataShape, d => (int)d);
        var most = int.MaxValue / sizeof(float) / teacher.Dimension;
        if (options.Count > most)
            throw new RecipeException(FormattableString.Invariant($"options.pairs.count: found {options.Count}, expected at most {most} of this teacher's samples, which fill an array of 2 GB."));
    }

    /// <summary>Whether they are there.</summary>
    public bool IsReady => _set is not null;

    /// <summary>How many there are, or will be.</summary>
    public int Count => _set?.Count ?? _options.Count;

    /// <summary>The pairs.</summary>
    /// <exception cref="InvalidOperationException">They have been neither loaded nor made.</exception>
    public PairSet Set => _set ?? throw new InvalidOperationException("The teacher's pairs are not there yet: load or make them first.");

    /// <summary>Bytes that they take: twice, because the file is formed in memory when they are written or read.</summary>
    internal long Bytes => 2L * Count * ((2 * _teacher.Dimension * sizeof(float)) + sizeof(long));

    /// <summary>What options and teacher do not tell about them: nothing, or a digest of what somebody else has made.</summary>
    internal string Identity => _set is { Origin: null } set ? _digest ??= set.Digest() : "";

    private PairOrigin Origin => _origin ??= new PairOrigin(_teacher.Hash(), _options.Steps, _options.Seed, _sampler.Guidance);

    /// <summary>Reads them if they are there: the recipe's file, otherwise the run's. Rank 0 reads, all get them.</summary>
    /// <param name="runFile">Where a run keeps those that it drew; null for nowhere.</param>
    /// <param name="ranks">The processes, all of which call this.</param>
    /// <returns>Whether they were there.</returns>
    /// <exception cref="Graph.ModelFileException">The file is damaged.</exception>
    /// <exception cref="RecipeException">It holds something other than this recipe's pairs.</exception>
    public bool Load(string? runFile, IRankGroup ranks)
    {
        ArgumentNullException.ThrowIfNull(ranks);
        if (ranks.Rank == 0 && !IsReady && FileOf(runFile) is { } path && File.Exists(path))
            _set = Checked(PairFile.Read(path, _dims, _teacher.Card.Labels), path);
        if (ranks.Count > 1)
            Share(ranks);
        return IsReady;
    }

    /// <summary>Draws them from the teacher, in batches that the ranks share, and writes the file.</summary>
    /// <param name="runFile">Where a run keeps them when the recipe names no file; null for nowhere.</param>
    /// <param name="observer">Who watches.</param>
    /// <param name="stop">Stops between two batches; nothing is written then.</param>
    /// <param name="ranks">The processes, all of which call this and get all pairs; rank 0 writes.</param>
    /// <returns>Whether they were made; false when stopped.</returns>
    public bool Make(string? runFile, IRunObserver observer, CancellationToken stop, IRankGroup ranks)
    {
        ArgumentNullException.ThrowIfNull(observer);
        ArgumentNullException.ThrowIfNull(ranks);
        var size = checked((int)_teacher.Dimension);
        var samples = new float[_options.Count * size];
        // Whole batches, so that the samples are those of a single call, bit for bit.
        var now = SharedBatches.Size(size) * BatchesAtOnce * ranks.Count;
        using (var sampler = new TeacherSampler(_teacher, _device(ranks)))
        {
            for (var first = 0; first < _options.Count; first += now)
            {
                if (RankAgreement.Any(stop.IsCancellationRequested, ranks))
                    return false;
                var part = sampler.Sample(Math.Min(now, _options.Count - first), _options.Seed, _sampler, ranks: ranks, start: first);
                part.Data.CopyTo(samples, first * size);
                observer.Preparing("teacher pairs", first + part.Count, _options.Count);
            }
        }
        if (Array.Exists(samples, v => !float.IsFinite(v)))
            throw new TeacherMismatchException($"{_teacher.What} was sampled for pairs and gave numbers that are not finite. Look at its samples with 'onnxdistill sample', or import it anew.");
        var latents = new float[samples.Length];
        new NoiseStream(_options.Seed, StreamId.Latent).FillNormal(latents, 0);
        var labels = _teacher.Card.IsConditional ? Enumerable.Range(0, _options.Count).Select(i => (long)(i % _teacher.Card.Labels)).ToArray() : null;
        _set = new PairSet(new SampleSet(_dims, latents), new SampleSet(_dims, samples), labels, Origin);
        if (ranks.Rank == 0 && FileOf(runFile) is { } path)
        {
            PairFile.Write(path, _set);
            observer.Note(FormattableString.Invariant($"{path}: {_options.Count:N0} pairs of the teacher in {_options.Steps} steps"));
        }
        return true;
    }

    /// <summary>Takes zeros for pairs where there are none, which is enough to measure time by.</summary>
    internal void StandIn()
    {
        if (IsReady)
            return;
        var zeros = new SampleSet(_dims, new float[_teacher.Dimension]);
        (_set, _standsIn) = (new PairSet(zeros, zeros, _teacher.Card.IsConditional ? [0] : null, Origin), true);
    }

    /// <summary>Nobody may learn from what only stands in.</summary>
    internal void EndStandIn() => (_set, _standsIn) = (_standsIn ? null : _set, false);

    private string? FileOf(string? runFile) => _options.File.Length > 0 ? _options.File : runFile;

    private PairSet Checked(PairSet set, string path) => set.Origin is null || (set.Origin == Origin && set.Count == _options.Count) ? set
        : throw new RecipeException(FormattableString.Invariant($"'{path}' holds {set.Count} pairs, {set.Origin}, but the recipe asks for {_options.Count}, {Origin}. ")
            + "Name another file in options.pairs.file, or delete this one to have them drawn anew.");

    private void Share(IRankGroup ranks)
    {
        long[] header = [_set?.Count ?? 0, _set?.Labels is null ? 0 : 1, _set?.Origin is null ? 0 : 1];
        ranks.Broadcast(MemoryMarshal.AsBytes(header.AsSpan()));
        if (header[0] == 0)
            return;
        var numbers = checked((int)(header[0] * _teacher.Dimension));
        _set ??= new PairSet(new SampleSet(_dims, new float[numbers]), new SampleSet(_dims, new float[numbers]), header[1] == 1 ? new long[header[0]] : null, header[2] == 1 ? Origin : null);
        ranks.Broadcast(MemoryMarshal.AsBytes(_set.Latents.Data.AsSpan()));
        ranks.Broadcast(MemoryMarshal.AsBytes(_set.Samples.Data.AsSpan()));
        if (_set.Labels is { } labels)
            ranks.Broadcast(MemoryMarshal.AsBytes(labels.AsSpan()));
    }
}
