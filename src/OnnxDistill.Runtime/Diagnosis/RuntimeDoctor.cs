using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using OnnxDistill.Runtime.Placement;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Runtime.Diagnosis;

/// <summary>Looks at the machine and at ONNX Runtime, and says what is missing and how to mend it. Never throws for what it looks for.</summary>
public static class RuntimeDoctor
{
    private const string CudaProvider = "CUDAExecutionProvider";

    /// <summary>Looks.</summary>
    public static RuntimeReport Examine()
    {
        var problems = new List<RuntimeProblem>();
        var ready = IsReady(problems);
        var providers = ready ? OrtRuntime.Providers : [];
        if (ready)
            ExamineCuda(providers, problems);
        ExamineTelemetry(problems);
        ExamineTemporaryFolder(problems);
        problems.AddRange(OpenSsl.Problem() is { } problem ? [problem] : []);
        return new RuntimeReport
        {
            OnnxDistill = typeof(RuntimeDoctor).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown",
            OnnxRuntime = ready ? OrtRuntime.Version : null,
            NativeLibrary = ready ? LoadedLibrary() : null,
            Providers = providers,
            CudaKernelTable = PlacementReport.Source,
            DotNet = Environment.Version.ToString(),
            OperatingSystem = $"{RuntimeInformation.OSDescription} {RuntimeInformation.OSArchitecture}".Trim(),
            Processors = Environment.ProcessorCount,
            VectorBits = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128,
            MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            PeakMemoryBytes = PeakMemory.Bytes(),
            Telemetry = OrtRuntime.Telemetry,
            Problems = problems,
        };
    }

    private static bool IsReady(List<RuntimeProblem> problems)
    {
        try
        {
            OrtRuntime.EnsureReady();
            return true;
        }
        catch (RuntimeUnavailableException e)
        {
            problems.Add(new RuntimeProblem("ONNX Runtime does not start.", e.Message));
            return false;
        }
    }

    private static void ExamineCuda(IReadOnlyList<string> providers, List<RuntimeProblem> problems)
    {
        if (!HasCudaDriver())
            return;
        if (!providers.Contains(CudaProvider))
        {
            problems.Add(new RuntimeProblem("There is an NVIDIA driver, but this build of ONNX Runtime runs on the CPU only.",
                $"Build with -p:OnnxRuntimePackage=Microsoft.ML.OnnxRuntime.Gpu, or set {OrtRuntime.LibraryVariable} to a libonnxruntime.so with CUDA."));
            return;
        }
        try
        {
            using var options = SessionOptionsFactory.Create(new DeviceOptions { Device = "cuda:0" });
        }
        catch (RuntimeUnavailableException e)
        {
            problems.Add(new RuntimeProblem("The CUDA provider does not start.", e.Message));
        }
    }

    private static bool HasCudaDriver()
    {
        if (!NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda" : "libcuda.so.1", out var driver))
            return false;
        NativeLibrary.Free(driver);
        return true;
    }

    private static void ExamineTelemetry(List<RuntimeProblem> problems)
    {
        if (OrtRuntime.Telemetry == TelemetryState.HostWasFirst)
        {
            problems.Add(new RuntimeProblem("The host used ONNX Runtime before OnnxDistill, so ONNX Runtime's telemetry is as the host left it.",
                $"Set {OrtRuntime.TelemetryVariable}=1 in the environment, or call OrtRuntime.EnsureReady() before the host's first session."));
        }
    }

    private static void ExamineTemporaryFolder(List<RuntimeProblem> problems)
    {
        try
        {
            using var folder = new PrivateFolder();
            File.WriteAllBytes(folder.File("probe"), [0]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add(new RuntimeProblem($"The temporary folder '{Path.GetTempPath()}' cannot be written to: {e.Message}",
                "Set TMPDIR to a folder with space; importing a model needs it."));
        }
    }

    private static string? LoadedLibrary()
    {
        using var process = Process.GetCurrentProcess();
        return process.Modules.Cast<ProcessModule>().Select(m => m.FileName)
            .FirstOrDefault(f => Path.GetFileName(f) is var name && name.Contains("onnxruntime", StringComparison.OrdinalIgnoreCase)
                && !name.Contains("providers", StringComparison.OrdinalIgnoreCase)
                && !IsManaged(name));
    }

    // The managed assembly and the native library have similar names on Windows.
    private static bool IsManaged(string name) => name.StartsWith("Microsoft.ML.", StringComparison.OrdinalIgnoreCase);
}
