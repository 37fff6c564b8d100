using System.Diagnostics;
using System.Globalization;
using OnnxDistill.Runtime.Diagnosis;

namespace OnnxDistill.Bench;

/// <summary>The child process of one side: runs steps when its parent says so, so that sides can take turns.</summary>
internal static class Worker
{
    public const string OnnxDistill = "onnxdistill", Libtorch = "libtorch";

    /// <summary>Answers each line of standard input: a number of seconds with the median, mean (in milliseconds) and count of steps, anything else
    /// with the peak memory in bytes, and ends.</summary>
    public static int Serve(string name, string workload, string[] settings)
    {
        using var side = Create(name, WorkloadList.Find(workload), settings);
        Console.WriteLine("ready");
        while (Console.ReadLine() is { } line)
        {
            if (!double.TryParse(line, CultureInfo.InvariantCulture, out var seconds))
                break;
            var times = Run(side, TimeSpan.FromSeconds(seconds));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Statistics.Median(times):R} {times.Average():R} {times.Count}"));
        }
        Console.WriteLine(PeakMemory.Bytes().ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    private static ISide Create(string name, IWorkload workload, string[] settings) => name is OnnxDistill or Libtorch
        ? workload.Create(name, Setup.Load(workload.Subject, settings))
        : throw new ArgumentException($"There is no side '{name}'; there are {OnnxDistill} and {Libtorch}.");

    private static List<double> Run(ISide side, TimeSpan duration)
    {
        var times = new List<double>();
        var start = Stopwatch.GetTimestamp();
        do
        {
            var before = Stopwatch.GetTimestamp();
            side.Step();
            times.Add(Stopwatch.GetElapsedTime(before).TotalMilliseconds);
        }
        while (Stopwatch.GetElapsedTime(start) < duration);
        return times;
    }
}
