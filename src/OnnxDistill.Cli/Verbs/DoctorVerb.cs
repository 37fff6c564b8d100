using System.CommandLine;
using System.Globalization;
using OnnxDistill.Runtime.Diagnosis;

namespace OnnxDistill.Cli.Verbs;

/// <summary>What this machine and installation can do, and what is wrong with it.</summary>
internal static class DoctorVerb
{
    public static Command Create() => Verb.Create("doctor", "Show versions, providers, threads, memory, and what is missing.", [], (_, report, _) =>
    {
        var found = RuntimeDoctor.Examine();
        report.Set("report", found);
        report.Line($"OnnxDistill      {found.OnnxDistill}");
        report.Line($"ONNX Runtime     {found.OnnxRuntime ?? "not loaded"}  {found.NativeLibrary}");
        report.Line($"providers        {string.Join(", ", found.Providers)}");
        if (found.Providers.Contains("CUDAExecutionProvider"))
            report.Line($"CUDA kernels     known as of ONNX Runtime {found.CudaKernelTable}; inspect and distill --dry-run tell which nodes have none");
        report.Line($".NET             {found.DotNet} on {found.OperatingSystem}");
        report.Line(string.Create(CultureInfo.InvariantCulture, $"processors       {found.Processors}, vectors of {found.VectorBits} bits"));
        report.Line(string.Create(CultureInfo.InvariantCulture, $"memory           {found.MemoryBytes >> 20:N0} MiB, peak {found.PeakMemoryBytes >> 20:N0} MiB"));
        report.Line($"telemetry        {found.Telemetry.ToString().ToLowerInvariant()}");
        foreach (var problem in found.Problems)
            report.Line($"problem: {problem.Found}\n   cure: {problem.Cure}");
        return found.Problems.Count == 0 ? ExitCodes.Done : ExitCodes.CheckFailed;
    });
}
