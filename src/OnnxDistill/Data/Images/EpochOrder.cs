using System.Numerics;
using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Data.Images;

/// <summary>
/// The order in which a data set is gone through: every epoch a new shuffle, in which each item comes once. The item at a position is a function of seed and
/// position alone, so that there is no state to save and any rank or thread finds its own part. A shuffle is a Feistel network of four Philox rounds on the
/// next power of four, walked until it falls below the count (Black and Rogaway 2002, "Ciphers with arbitrary finite domains").
/// </summary>
public sealed class EpochOrder
{
    private const int Rounds = 4;

    private readonly NoiseStream _noise;
    private readonly int _halfBits;
    private readonly int _count;

    /// <summary>The order of that many items.</summary>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="stream">Whose order it is.</param>
    /// <param name="count">Number of items.</param>
    public EpochOrder(long seed, StreamId stream, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        (_noise, _count) = (new NoiseStream(seed, stream), count);
        _halfBits = Math.Max(1, (BitOperations.Log2((uint)count) / 2) + 1);
    }

    /// <summary>The item at a position, counted over all epochs from 0.</summary>
    public int At(long position)
    {
        var (epoch, item) = Math.DivRem(position, _count);
        do
            item = Permute(item, epoch);
        while (item >= _count);
        return (int)item;
    }

    private long Permute(long item, long epoch)
    {
        var mask = (1L << _halfBits) - 1;
        var (left, right) = (item >> _halfBits, item & mask);
        Span<long> word = stackalloc long[1];
        for (var round = 0; round < Rounds; round++)
        {
            _noise.FillIntegers(word, 1L << _halfBits, epoch, ((long)round << _halfBits) + right);
            (left, right) = (right, left ^ word[0]);
        }
        return (left << _halfBits) | right;
    }
}
