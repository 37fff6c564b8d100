using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace OnnxDistill.Runtime.Diagnosis;

/// <summary>Which processor this is. Matrix products add up in another order on another kind, so their last bits differ.</summary>
public static class Processor
{
    private static readonly Lazy<string> Described = new(Describe);

    /// <summary>Model and the vector instructions that ONNX Runtime chooses its kernels by.</summary>
    public static string Description => Described.Value;

    private static string Describe()
    {
        var vectors = Avx512F.IsSupported ? "AVX-512" : Avx2.IsSupported ? "AVX2" : Avx.IsSupported ? "AVX" : RuntimeInformation.ProcessArchitecture.ToString();
        return $"{Model()}, {vectors}";
    }

    private static string Model()
    {
        if (OperatingSystem.IsWindows())
            return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? "unknown";
        try
        {
            // Linux; x86 names the model, ARM the part's number.
            var line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(static l =>
                l.StartsWith("model name", StringComparison.Ordinal) || l.StartsWith("CPU part", StringComparison.Ordinal));
            return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? "unknown";
        }
        catch (IOException)
        {
            return "unknown";
        }
    }
}
