using System.Runtime.CompilerServices;
using Microsoft.ML.OnnxRuntime;
using OnnxDistill.Runtime.Native;

namespace OnnxDistill.Runtime;

/// <summary>What holds for ONNX Runtime in the whole process: its telemetry, its native library, its environment.</summary>
public static class OrtRuntime
{
    /// <summary>Set to 1 to keep ONNX Runtime's telemetry, which OnnxDistill turns off otherwise.</summary>
    public const string KeepTelemetryVariable = "ONNXDISTILL_ORT_TELEMETRY";

    /// <summary>Path of another build of ONNX Runtime's native library to load (CUDA, WebGPU, own builds) of a fitting API version.</summary>
    public const string LibraryVariable = "ONNXDISTILL_ORT_LIBRARY";

    /// <summary>ONNX Runtime's own switch, read once when its native library initialises.</summary>
    public const string TelemetryVariable = "ORT_DISABLE_TELEMETRY";

    private static readonly Lazy<OrtEnv> Environment = new(CreateEnvironment);

    /// <summary>Why the native library named by <see cref="LibraryVariable"/> is not in use; kept because a module initialiser that throws
    /// makes every type of the assembly fail with a message about the initialiser.</summary>
    private static RuntimeUnavailableException? _libraryError;

    /// <summary>What became of ONNX Runtime's telemetry in this process.</summary>
    public static TelemetryState Telemetry { get; private set; }

    /// <summary>Loads ONNX Runtime and creates its environment, once; sessions do it by themselves.</summary>
    /// <exception cref="RuntimeUnavailableException">The native library is missing, too old, or cannot be loaded.</exception>
    public static void EnsureReady() => _ = Environment.Value;

    /// <summary>The execution providers that this build of ONNX Runtime contains, in its order of preference.</summary>
    /// <exception cref="RuntimeUnavailableException">The native library is missing, too old, or cannot be loaded.</exception>
    public static IReadOnlyList<string> Providers => Environment.Value.GetAvailableProviders();

    /// <summary>The native library's version.</summary>
    /// <exception cref="RuntimeUnavailableException">The native library is missing, too old, or cannot be loaded.</exception>
    public static string Version => Environment.Value.GetVersionString();

#pragma warning disable CA2255 // The setting must precede ONNX Runtime's first native call, and no other hook of a library runs early enough.
    [ModuleInitializer]
    internal static void Initialise()
#pragma warning restore CA2255
    {
        Telemetry = SetTelemetry();
        if (System.Environment.GetEnvironmentVariable(LibraryVariable) is not { Length: > 0 } path)
            return;
        try
        {
            NativeRuntimeLibrary.Use(path);
        }
        catch (RuntimeUnavailableException e)
        {
            _libraryError = e;
        }
    }

    private static TelemetryState SetTelemetry()
    {
        if (System.Environment.GetEnvironmentVariable(KeepTelemetryVariable) == "1")
            return TelemetryState.Kept;
        if (OrtEnv.IsCreated)
            return CLibrary.GetEnvironment(TelemetryVariable) == "1" ? TelemetryState.Off : TelemetryState.HostWasFirst;
        CLibrary.SetEnvironment(TelemetryVariable, "1");
        return TelemetryState.Off;
    }

    private static OrtEnv CreateEnvironment()
    {
        if (_libraryError is not null)
            throw _libraryError;
        try
        {
            if (OrtEnv.IsCreated)
                return OrtEnv.Instance();
            // Errors reach the user as exceptions; warnings (about unused initializers and the like) would only litter the terminal.
            var options = new EnvironmentCreationOptions { logId = "OnnxDistill", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
            return OrtEnv.CreateInstanceWithOptions(ref options);
        }
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            throw new RuntimeUnavailableException(
                $"ONNX Runtime's native library cannot be loaded: {OrtMessages.FirstSentence(e.InnerException ?? e)} Reference the package Microsoft.ML.OnnxRuntime "
                + $"(or Microsoft.ML.OnnxRuntime.Gpu) in the app, or set {LibraryVariable} to the path of a build of ONNX Runtime.", e);
        }
    }
}

/// <summary>What became of ONNX Runtime's telemetry in this process.</summary>
public enum TelemetryState
{
    /// <summary>Turned off before the native library initialised: no file, no event.</summary>
    Off,
    /// <summary>Kept, because the user asked for it.</summary>
    Kept,
    /// <summary>The host used ONNX Runtime before OnnxDistill, so the host's own setting stays.</summary>
    HostWasFirst,
}
