using System.Runtime.CompilerServices;
using OnnxDistill.Runtime;

namespace OnnxDistill.Tests.Runtime;

/// <summary>Lets OnnxDistill prepare ONNX Runtime before any test uses it directly; else its telemetry writes into the tester's home.</summary>
internal static class RuntimeFirst
{
#pragma warning disable CA2255 // A test assembly is an application.
    [ModuleInitializer]
    internal static void Prepare() => RuntimeHelpers.RunModuleConstructor(typeof(OrtRuntime).Module.ModuleHandle);
#pragma warning restore CA2255
}
