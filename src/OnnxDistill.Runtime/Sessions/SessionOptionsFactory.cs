using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using OnnxDistill.Runtime.Native;

namespace OnnxDistill.Runtime.Sessions;

/// <summary>Turns <see cref="DeviceOptions"/> into ONNX Runtime's options.</summary>
internal static class SessionOptionsFactory
{
    /// <summary>Options that the caller disposes of.</summary>
    /// <exception cref="RuntimeUnavailableException">ONNX Runtime or the provider is missing.</exception>
    /// <exception cref="FormatException">The device's name is not known.</exception>
    public static SessionOptions Create(DeviceOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads);
        var device = Device.Parse(options.Device);
        OrtRuntime.EnsureReady();
        device.RequireProvider();
        var session = new SessionOptions
        {
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            IntraOpNumThreads = options.Threads,
            EnableCpuMemArena = options.MemoryArena,
            EnableMemoryPattern = options.MemoryPattern,
            GraphOptimizationLevel = Level(options.Optimization),
        };
        try
        {
            Configure(session, options, device);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private static void Configure(SessionOptions session, DeviceOptions options, Device device)
    {
        switch (options.Spinning)
        {
            case ThreadSpinning.DuringRun:
                session.AddSessionConfigEntry("session.force_spinning_stop", "1");
                break;
            case ThreadSpinning.Never:
                session.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
                break;
        }
        if (options.MemoryArena && device.Kind == DeviceKind.Cpu && SharedArena.IsOpen)
            session.AddSessionConfigEntry("session.use_env_allocators", "1");
        string[] disabled = [.. options.KeepDuplicates ? ["CommonSubexpressionElimination"] : Array.Empty<string>(), .. options.KeepDropout ? ["EliminateDropout"] : Array.Empty<string>()];
        if (disabled.Length > 0)
            session.AddSessionConfigEntry("optimization.disable_specified_optimizers", string.Join(';', disabled));
        if (options.OptimizedModelPath is { } path)
            session.OptimizedModelFilePath = path;
        if (options.ProfilePrefix is { } prefix)
        {
            session.ProfileOutputPathPrefix = prefix;
            session.EnableProfiling = true;
        }
        if (device.Kind == DeviceKind.Cuda)
            AppendCuda(session, options, device);
    }

    /// <summary>The CUDA provider's options by ONNX Runtime's names for them.</summary>
    internal static Dictionary<string, string> CudaSettings(DeviceOptions options, Device device)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["device_id"] = device.Index.ToString(CultureInfo.InvariantCulture),
            ["use_tf32"] = options.Tf32 ? "1" : "0",
            ["cudnn_conv_algo_search"] = options.ConvolutionSearch.ToString().ToUpperInvariant(),
            ["enable_cuda_graph"] = options.CudaGraph ? "1" : "0",
        };
        if (options.DeviceMemoryLimit > 0)
            settings["gpu_mem_limit"] = options.DeviceMemoryLimit.ToString(CultureInfo.InvariantCulture);
        return settings;
    }

    private static void AppendCuda(SessionOptions session, DeviceOptions options, Device device)
    {
        using var cuda = new OrtCUDAProviderOptions();
        cuda.UpdateOptions(CudaSettings(options, device));
        try
        {
            session.AppendExecutionProvider_CUDA(cuda);
        }
        catch (OnnxRuntimeException e)
        {
            throw new RuntimeUnavailableException(
                $"ONNX Runtime has a CUDA provider but cannot start it on {device}: {OrtMessages.Clean(e)} Check that CUDA 12 or 13 and cuDNN 9 (as this "
                + "build of ONNX Runtime wants them) are on the library path and that the device exists (nvidia-smi), or use --device cpu.", e);
        }
    }

    private static GraphOptimizationLevel Level(GraphOptimization optimization) => optimization switch
    {
        GraphOptimization.None => GraphOptimizationLevel.ORT_DISABLE_ALL,
        GraphOptimization.Basic => GraphOptimizationLevel.ORT_ENABLE_BASIC,
        GraphOptimization.Extended => GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
        _ => GraphOptimizationLevel.ORT_ENABLE_ALL,
    };
}
