using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OnnxDistill.Runtime.Noise;

/// <summary>A counter of 128 bits, or what Philox makes of it.</summary>
/// <param name="W0">First word.</param>
/// <param name="W1">Second word.</param>
/// <param name="W2">Third word.</param>
/// <param name="W3">Fourth word.</param>
public readonly record struct PhiloxBlock(uint W0, uint W1, uint W2, uint W3);

/// <summary>Philox 4x32-10: a keyed bijection of 128-bit counters whose outputs look random.</summary>
/// <remarks>J. Salmon, M. Moraes, R. Dror, D. Shaw: Parallel random numbers: as easy as 1, 2, 3. SC 2011, section 3.3 and table 2.
/// There is no state: the same counter and key give the same words on every machine, in any order.</remarks>
public static class Philox4x32
{
    private const int Rounds = 10;
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    // The key schedule adds the golden ratio and sqrt(3) - 1, as fractions of 2^32.
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;

    /// <summary>The block of one counter.</summary>
    public static PhiloxBlock Generate(PhiloxBlock counter, uint key0, uint key1)
    {
        var (c0, c1, c2, c3) = counter;
        for (var round = 0; round < Rounds; round++)
        {
            var p0 = (ulong)Multiplier0 * c0;
            var p1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ key0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ key1, (uint)p0);
            key0 += Weyl0;
            key1 += Weyl1;
        }
        return new PhiloxBlock(c0, c1, c2, c3);
    }

    /// <summary>The blocks of eight counters that differ in their first word only: <c>W0</c> to <c>W0 + 7</c>, which must not wrap.</summary>
    /// <returns>Word by word; lane i belongs to counter i.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (Vector256<uint> W0, Vector256<uint> W1, Vector256<uint> W2, Vector256<uint> W3) GenerateEight(
        PhiloxBlock counter, uint key0, uint key1)
    {
        // One counter a 64-bit lane, because the multiplication makes 64 bits. The upper halves carry rubbish from round to round, which costs
        // nothing: the multiplication reads lower halves only, and the narrowing at the end drops the upper ones.
        var a0 = Vector256.Create((ulong)counter.W0) + Vector256.Create(0UL, 1, 2, 3);
        var b0 = Vector256.Create((ulong)counter.W0) + Vector256.Create(4UL, 5, 6, 7);
        var (a1, a2, a3) = (Vector256.Create((ulong)counter.W1), Vector256.Create((ulong)counter.W2), Vector256.Create((ulong)counter.W3));
        var (b1, b2, b3) = (a1, a2, a3);
        var m0 = Vector256.Create((ulong)Multiplier0);
        var m1 = Vector256.Create((ulong)Multiplier1);
        for (var round = 0; round < Rounds; round++)
        {
            var k0 = Vector256.Create((ulong)key0);
            var k1 = Vector256.Create((ulong)key1);
            var (p0, p1) = (MultiplyLower(a0, m0), MultiplyLower(a2, m1));
            (a0, a1, a2, a3) = ((p1 >>> 32) ^ a1 ^ k0, p1, (p0 >>> 32) ^ a3 ^ k1, p0);
            var (q0, q1) = (MultiplyLower(b0, m0), MultiplyLower(b2, m1));
            (b0, b1, b2, b3) = ((q1 >>> 32) ^ b1 ^ k0, q1, (q0 >>> 32) ^ b3 ^ k1, q0);
            key0 += Weyl0;
            key1 += Weyl1;
        }
        return (Vector256.Narrow(a0, b0), Vector256.Narrow(a1, b1), Vector256.Narrow(a2, b2), Vector256.Narrow(a3, b3));
    }

    /// <summary>The 64-bit products of the lanes' lower halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> MultiplyLower(Vector256<ulong> a, Vector256<ulong> multiplier) => Avx2.IsSupported
        ? Avx2.Multiply(a.AsUInt32(), multiplier.AsUInt32())
        : (a & Vector256.Create((ulong)uint.MaxValue)) * multiplier;
}
