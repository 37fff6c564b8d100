using System.Runtime.Intrinsics;
using OnnxDistill.Runtime.Buffers;

namespace OnnxDistill.Runtime.Noise;

/// <summary>Random numbers by counter: every value depends on seed, stream, step and the element's absolute index only.</summary>
/// <remarks>So there is no state to save, a resumed run draws the same numbers, and any slicing (micro-batches, ranks, threads) gives the same
/// tensor. One stream serves one kind of draw: <see cref="FillNormal(Span{float}, long, long)"/> and <see cref="FillUniform(Span{float}, long, long)"/>
/// at the same step come from the same words. Philox's key is the seed; its counter is (block, stream, step).</remarks>
public readonly record struct NoiseStream
{
    // Element i of a group of 32 is word i / 8 of block i % 8: a layout in which vectors are stored as they come, without a transposition.
    private const int BlocksPerGroup = 8, GroupSize = 32;

    /// <summary>Elements that one step of one stream has: 2^32 blocks of four words.</summary>
    public const long ElementsPerStep = 1L << 34;

    /// <summary>The stream of that name under that seed.</summary>
    public NoiseStream(long seed, StreamId stream) => (Seed, Stream) = (seed, stream);

    /// <summary>The run's seed.</summary>
    public long Seed { get; }

    /// <summary>Which stream.</summary>
    public StreamId Stream { get; }

    private (uint Low, uint High) Key => ((uint)Seed, (uint)(Seed >> 32));

    /// <summary>Standard normal numbers, out to 6.7 sigma.</summary>
    /// <param name="target">Where they go.</param>
    /// <param name="step">Training step, or whatever the caller counts.</param>
    /// <param name="firstIndex">Absolute index of the target's first element within the step.</param>
    /// <exception cref="ArgumentOutOfRangeException">Step or index is negative, or the index passes <see cref="ElementsPerStep"/>.</exception>
    public void FillNormal(Span<float> target, long step, long firstIndex = 0) => Fill<Normal>(target, step, firstIndex);

    /// <summary>Uniform numbers on [0, 1), multiples of 2^-24.</summary>
    /// <inheritdoc cref="FillNormal(Span{float}, long, long)"/>
    public void FillUniform(Span<float> target, long step, long firstIndex = 0) => Fill<Uniform>(target, step, firstIndex);

    /// <summary>Standard normal numbers into a tensor of any size.</summary>
    /// <inheritdoc cref="FillNormal(Span{float}, long, long)"/>
    public void FillNormal(TensorView target, long step, long firstIndex = 0)
    {
        const int chunk = 1 << 24;
        for (var done = 0L; done < target.Count; done += chunk)
        {
            var count = (int)Math.Min(chunk, target.Count - done);
            FillNormal(target.Buffer.Span<float>(target.Offset + done, count), step, firstIndex + done);
        }
    }

    /// <summary>Uniform integers from 0 to below <paramref name="bound"/>, from 64 bits each: the bias is below bound / 2^64.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not positive, step or index is out of range.</exception>
    public void FillIntegers(Span<long> target, long bound, long step, long firstIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        CheckRange(target.Length, step, firstIndex, ElementsPerStep / 2);
        for (var i = 0; i < target.Length; i++)
        {
            var index = firstIndex + i;
            var words = Philox4x32.Generate(Counter(index / 2, step), Key.Low, Key.High);
            var bits = index % 2 == 0 ? ((ulong)words.W1 << 32) | words.W0 : ((ulong)words.W3 << 32) | words.W2;
            target[i] = (long)Math.BigMul(bits, (ulong)bound, out _);
        }
    }

    private void Fill<T>(Span<float> target, long step, long firstIndex) where T : IDistribution
    {
        CheckRange(target.Length, step, firstIndex, ElementsPerStep);
        Span<float> edge = stackalloc float[GroupSize];
        var group = firstIndex / GroupSize;
        if ((int)(firstIndex % GroupSize) is > 0 and var skip)
        {
            FillGroup<T>(edge, group++, step);
            var head = edge[skip..Math.Min(GroupSize, skip + target.Length)];
            head.CopyTo(target);
            target = target[head.Length..];
        }
        for (; target.Length >= GroupSize; target = target[GroupSize..])
            FillGroup<T>(target, group++, step);
        if (target.Length > 0)
        {
            FillGroup<T>(edge, group, step);
            edge[..target.Length].CopyTo(target);
        }
    }

    private void FillGroup<T>(Span<float> target, long group, long step) where T : IDistribution
    {
        var (w0, w1, w2, w3) = Philox4x32.GenerateEight(Counter(group * BlocksPerGroup, step), Key.Low, Key.High);
        var (n0, n1, n2, n3) = T.Transform(w0, w1, w2, w3);
        n0.CopyTo(target);
        n1.CopyTo(target[8..]);
        n2.CopyTo(target[16..]);
        n3.CopyTo(target[24..]);
    }

    private PhiloxBlock Counter(long block, long step) => new((uint)block, Stream.Value, (uint)step, (uint)(step >> 32));

    private static void CheckRange(int count, long step, long firstIndex, long limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfNegative(firstIndex);
        if (firstIndex > limit - count)
            throw new ArgumentOutOfRangeException(nameof(firstIndex), firstIndex, $"A step of a noise stream has {limit} elements.");
    }
}
