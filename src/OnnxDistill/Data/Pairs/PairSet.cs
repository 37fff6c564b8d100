using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace OnnxDistill.Data.Pairs;

/// <summary>How pairs were drawn from a teacher; together with their number it says what they are, to the bit.</summary>
/// <param name="Teacher">The teacher's hash.</param>
/// <param name="Steps">Steps of Heun's method.</param>
/// <param name="Seed">Seed of the latents.</param>
/// <param name="Guidance">Scale of classifier-free guidance.</param>
public sealed record PairOrigin(string Teacher, int Steps, long Seed, double Guidance);

/// <summary>A teacher's samples, each with the noise that it was drawn from.</summary>
/// <param name="Latents">Standard normal numbers of a sample's shape.</param>
/// <param name="Samples">The samples, in the same order.</param>
/// <param name="Labels">Their classes; null for an unconditional teacher.</param>
/// <param name="Origin">How they were drawn; null for pairs that somebody else has made.</param>
public sealed record PairSet(SampleSet Latents, SampleSet Samples, long[]? Labels, PairOrigin? Origin)
{
    /// <summary>How many pairs there are.</summary>
    public int Count => Samples.Count;

    /// <summary>SHA-256 over all numbers, in hexadecimal.</summary>
    public string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<float>(Latents.Data));
        hash.AppendData(MemoryMarshal.AsBytes<float>(Samples.Data));
        hash.AppendData(MemoryMarshal.AsBytes<long>(Labels));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
