using System.Runtime.InteropServices;

namespace OnnxDistill.Runtime.Diagnosis;

/// <summary>
/// On Linux .NET computes SHA-256, which states and generators carry, with the system's OpenSSL; where that is missing it ends the process at
/// the first hash, and nobody can catch it. So it is looked for before anything starts.
/// </summary>
public static class OpenSsl
{
    // The names that .NET 10 looks for, and the variable that replaces them.
    private static readonly string[] Names = ["libssl.so.3", "libssl.so.1.1"];
    private const string OverrideVariable = "CLR_OPENSSL_VERSION_OVERRIDE";

    /// <summary>What is wrong, and what to install; null when nothing is.</summary>
    public static RuntimeProblem? Problem() => IsMissing(NativeLibrary.TryLoad)
        ? new RuntimeProblem("OpenSSL's library libssl is not there; .NET needs it on Linux to compute the checksums of states and models.",
            "Install it (apt-get install libssl3, dnf install openssl-libs, apk add libssl3); it is the only library beside libc and libstdc++ that a published folder asks of the system.")
        : null;

    /// <summary>Makes sure that it is there.</summary>
    /// <exception cref="RuntimeUnavailableException">It is not; the message names the cure.</exception>
    public static void Require()
    {
        if (Problem() is { } problem)
            throw new RuntimeUnavailableException($"{problem.Found} {problem.Cure}");
    }

    /// <summary>Whether none of the names loads.</summary>
    internal static bool IsMissing(TryLoad load) => OperatingSystem.IsLinux() && string.IsNullOrEmpty(Environment.GetEnvironmentVariable(OverrideVariable))
        && !Array.Exists(Names, name => load(name, out _));

    /// <summary>Tries to load a library; it stays loaded, as .NET would have it.</summary>
    internal delegate bool TryLoad(string name, out nint handle);
}
