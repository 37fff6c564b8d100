using System.Runtime.InteropServices;

namespace OnnxDistill.Runtime.Native;

/// <summary>The one thing of the C library that .NET does not offer: an environment that native code sees.</summary>
internal static partial class CLibrary
{
    /// <summary>Sets a variable both for .NET and for the native <c>getenv</c>, which on Unix know nothing of each other.</summary>
    public static void SetEnvironment(string name, string value)
    {
        Environment.SetEnvironmentVariable(name, value);
        // On Windows the C runtime copies the environment when it starts, so it has to be told as well.
        _ = OperatingSystem.IsWindows() ? PutEnvironment(name, value) : SetEnvironment(name, value, overwrite: 1);
    }

    /// <summary>What native code sees.</summary>
    public static string? GetEnvironment(string name) =>
        OperatingSystem.IsWindows() ? Environment.GetEnvironmentVariable(name) : Marshal.PtrToStringUTF8(GetNative(name));

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetNative(string name);

    [LibraryImport("ucrtbase", EntryPoint = "_putenv_s", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int PutEnvironment(string name, string value);
}
