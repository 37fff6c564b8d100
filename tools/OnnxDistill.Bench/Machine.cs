using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace OnnxDistill.Bench;

internal static class Machine
{
    /// <summary>The machine in neutral words, such as <c>2-core-avx512-x64</c>: the folder of its results.</summary>
    public static string Name()
    {
        var vectors = Avx512F.IsSupported ? "avx512-" : Avx2.IsSupported ? "avx2-" : "";
#pragma warning disable CA1308 // A folder's name, not a comparison.
        return $"{Environment.ProcessorCount}-core-{vectors}{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
#pragma warning restore CA1308
    }
}
