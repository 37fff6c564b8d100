using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace OnnxDistill.Runtime.Native;

/// <summary>Loads another build of ONNX Runtime's native library when the user names one, and says why it cannot.</summary>
internal static unsafe class NativeRuntimeLibrary
{
    /// <summary>ONNX Runtime's C API grows by one version with each minor release; the managed 1.31.1 asks for this one.</summary>
    private static uint WantedApi => (uint)(typeof(OrtEnv).Assembly.GetName().Version?.Minor ?? 0);

    /// <summary>Makes ONNX Runtime's managed part load the library at <paramref name="path"/>.</summary>
    /// <exception cref="RuntimeUnavailableException">The library cannot be loaded, is too old, or ONNX Runtime was used before.</exception>
    public static void Use(string path)
    {
        var handle = Load(path);
        try
        {
            // The managed part of 1.31 installs a resolver of its own at first use, and .NET allows only one for each assembly.
            OrtEnv.DisableDllImportResolver = true;
            NativeLibrary.SetDllImportResolver(typeof(OrtEnv).Assembly, (name, assembly, search) => Resolve(handle, name, assembly, search));
        }
        catch (InvalidOperationException e)
        {
            throw new RuntimeUnavailableException(
                $"{OrtRuntime.LibraryVariable} names '{path}', but ONNX Runtime was used in this process before OnnxDistill, so another library is "
                + $"loaded already. Touch OnnxDistill first (for instance {nameof(OrtRuntime)}.{nameof(OrtRuntime.EnsureReady)}()), or unset the variable.", e);
        }
    }

    private static nint Resolve(nint handle, string name, Assembly assembly, DllImportSearchPath? search) =>
        name.Contains("extensions", StringComparison.OrdinalIgnoreCase) || !name.Contains("onnxruntime", StringComparison.OrdinalIgnoreCase)
            ? NativeLibrary.TryLoad(name, assembly, search, out var other) ? other : 0
            : handle;

    private static nint Load(string path)
    {
        try
        {
            var handle = NativeLibrary.Load(Path.GetFullPath(path));
            RequireApi(handle, path);
            return handle;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            throw new RuntimeUnavailableException(
                $"{OrtRuntime.LibraryVariable} names '{path}', which cannot be loaded as ONNX Runtime's native library: {OrtMessages.FirstSentence(e)} "
                + "Check the path, the machine's architecture and the libraries that it needs (ldd), or unset the variable.", e);
        }
    }

    private static void RequireApi(nint handle, string path)
    {
        // OrtGetApiBase() returns { GetApi(version), GetVersionString() }; GetApi gives null for a version that the build does not know.
        var apiBase = ((delegate* unmanaged<nint*>)NativeLibrary.GetExport(handle, "OrtGetApiBase"))();
        var version = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)apiBase[1])()) ?? "of unknown version";
        if (((delegate* unmanaged<uint, nint>)apiBase[0])(WantedApi) == 0)
        {
            throw new RuntimeUnavailableException(
                $"{OrtRuntime.LibraryVariable} names '{path}', which is ONNX Runtime {version}. This OnnxDistill needs API version {WantedApi}, that is "
                + $"ONNX Runtime 1.{WantedApi} or newer. Take a newer build, or unset the variable.");
        }
    }
}
