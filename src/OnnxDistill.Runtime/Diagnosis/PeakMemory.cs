using System.Diagnostics;
using System.Globalization;

namespace OnnxDistill.Runtime.Diagnosis;

/// <summary>The most memory that the process has held so far.</summary>
public static class PeakMemory
{
    private const string StatusFile = "/proc/self/status", PeakLine = "VmHWM:";

    /// <summary>Peak resident bytes, native memory included: VmHWM on Linux, the peak working set elsewhere.</summary>
    public static long Bytes()
    {
        if (File.Exists(StatusFile))
        {
            foreach (var line in File.ReadLines(StatusFile).Where(l => l.StartsWith(PeakLine, StringComparison.Ordinal)))
                return Parse(line);
        }
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }

    /// <summary>The bytes of a line such as <c>VmHWM:   12345 kB</c>.</summary>
    internal static long Parse(string line) =>
        1024 * long.Parse(line.AsSpan(PeakLine.Length).Trim().TrimEnd("kB").Trim(), NumberStyles.None, CultureInfo.InvariantCulture);
}
