using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OnnxDistill.Runtime.Noise;

/// <summary>Turns the words of eight Philox blocks into 32 floats: word j of block i makes element 8 j + i.</summary>
internal interface IDistribution
{
    /// <summary>Replaces words by floats.</summary>
    static abstract (Vector256<float>, Vector256<float>, Vector256<float>, Vector256<float>) Transform(
        Vector256<uint> w0, Vector256<uint> w1, Vector256<uint> w2, Vector256<uint> w3);
}

/// <summary>Uniform on [0, 1): 24 bits, because more would round up to 1.</summary>
internal readonly struct Uniform : IDistribution
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float>, Vector256<float>, Vector256<float>, Vector256<float>) Transform(
        Vector256<uint> w0, Vector256<uint> w1, Vector256<uint> w2, Vector256<uint> w3) => (Scale(w0), Scale(w1), Scale(w2), Scale(w3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Scale(Vector256<uint> word) =>
        Vector256.ConvertToSingle((word >>> 8).AsInt32()) * Vector256.Create(1f / (1 << 24));
}

/// <summary>Standard normal by Box and Muller (Annals of Mathematical Statistics 29, 1958): two words make a radius and an angle, those two normals.</summary>
/// <remarks>The polynomials are our own Chebyshev fits, evaluated with fused multiply-adds in a written order, so that the bits are the same on
/// every processor and .NET version; the library's logarithm and sine promise no such thing.</remarks>
internal readonly struct Normal : IDistribution
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float>, Vector256<float>, Vector256<float>, Vector256<float>) Transform(
        Vector256<uint> w0, Vector256<uint> w1, Vector256<uint> w2, Vector256<uint> w3)
    {
        var (n0, n1) = BoxMuller(w0, w1);
        var (n2, n3) = BoxMuller(w2, w3);
        return (n0, n1, n2, n3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float>, Vector256<float>) BoxMuller(Vector256<uint> radius, Vector256<uint> angle)
    {
        var r = Vector256.Sqrt(Vector256.Create(-2f) * LogOfUnit(radius));
        var (sin, cos) = SinCosOfTurn(angle);
        return (r * cos, r * sin);
    }

    /// <summary>ln((w + 1/2) / 2^32): never of 0, reaching to 6.7 sigma, and exact near 1, where w itself has more bits than a float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> LogOfUnit(Vector256<uint> word)
    {
        // From 2/3 on, 1 - u is used instead of u; both have few enough leading bits there.
        var high = Vector256.GreaterThan(word, Vector256.Create(0xAAAAAAAAu));
        var distance = (Vector256.ConvertToSingle(Vector256.ConditionalSelect(high, ~word, word)) + Vector256.Create(0.5f))
            * Vector256.Create(1f / 4294967296f);
        // u = 2^e (1 + f) with 1 + f in [2/3, 4/3): the exponent falls out of the bits once those of 2/3 are taken off.
        var bits = distance.AsInt32();
        var exponent = (bits - Vector256.Create(2f / 3f).AsInt32()) >> 23;
        var low = (bits - (exponent << 23)).AsSingle() - Vector256<float>.One;
        var f = Vector256.ConditionalSelect(high.AsSingle(), -distance, low);
        var e = Vector256.ConvertToSingle(Vector256.ConditionalSelect(high.AsInt32(), Vector256<int>.Zero, exponent));
        // ln(1 + f) = f - f^2/2 + f^3 P(f), P fitted on [-1/3, 1/3], relative error 2e-8.
        var p = Vector256.Create(-0.12125581f);
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(0.1342575f));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(-0.1234619f));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(0.1411831f));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(-0.1667014f));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(0.20003781f));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(-0.24999988f));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(0.3333332f));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(-0.5f));
        var log = Vector256.FusedMultiplyAdd(p * f, f, f);
        return Vector256.FusedMultiplyAdd(e, Vector256.Create(0.6931472f), log);
    }

    /// <summary>Sine and cosine of w / 2^32 turns. The quarter turn is split off in integers, so the reduction is exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (Vector256<float> Sin, Vector256<float> Cos) SinCosOfTurn(Vector256<uint> word)
    {
        var turns = word.AsInt32();
        var quarter = (turns + Vector256.Create(1 << 29)) >> 30;
        var x = Vector256.ConvertToSingle(turns - (quarter << 30)) * Vector256.Create((float)(Math.PI / 2 / (1 << 30)));
        var z = x * x;
        // sin x = x + x^3 S(x^2) and cos x = 1 - x^2/2 + x^4 C(x^2), fitted on [-pi/4, pi/4], relative errors 1e-8 and 6e-10.
        var s = Vector256.FusedMultiplyAdd(Vector256.Create(-0.00019587891f), z, Vector256.Create(0.008332748f));
        s = Vector256.FusedMultiplyAdd(s, z, Vector256.Create(-0.16666664f));
        s = Vector256.FusedMultiplyAdd(s * z, x, x);
        var c = Vector256.FusedMultiplyAdd(Vector256.Create(2.4547942E-05f), z, Vector256.Create(-0.0013888302f));
        c = Vector256.FusedMultiplyAdd(c, z, Vector256.Create(0.04166666f));
        c = Vector256.FusedMultiplyAdd(c, z, Vector256.Create(-0.5f));
        c = Vector256.FusedMultiplyAdd(c, z, Vector256<float>.One);
        // Odd quarters swap sine and cosine; bit 1 of the quarter flips the sine, bit 1 of the next quarter the cosine.
        var swap = Vector256.Equals(quarter & Vector256<int>.One, Vector256<int>.One).AsSingle();
        var two = Vector256.Create(2);
        var sinSign = ((quarter & two) << 30).AsSingle();
        var cosSign = (((quarter + Vector256<int>.One) & two) << 30).AsSingle();
        return (Vector256.ConditionalSelect(swap, c, s) ^ sinSign, Vector256.ConditionalSelect(swap, s, c) ^ cosSign);
    }
}
