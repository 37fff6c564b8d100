using System.Globalization;

namespace OnnxDistill.Runtime.Sessions;

/// <summary>Kinds of devices.</summary>
public enum DeviceKind
{
    /// <summary>The processor.</summary>
    Cpu,
    /// <summary>An NVIDIA GPU.</summary>
    Cuda,
}

/// <summary>Where a graph runs: <c>cpu</c>, <c>cuda</c> or <c>cuda:1</c>.</summary>
/// <param name="Kind">Kind of device.</param>
/// <param name="Index">Which one of that kind, from 0.</param>
public readonly record struct Device(DeviceKind Kind, int Index = 0)
{
    private const string CudaProvider = "CUDAExecutionProvider";

    /// <summary>The device of that name.</summary>
    /// <exception cref="FormatException">No device is named so; the message lists the forms.</exception>
    public static Device Parse(string text)
    {
        var parts = text.Split(':');
        var index = 0;
        if (parts.Length > 2 || (parts.Length == 2 && !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out index)))
            throw Unknown(text);
        return parts[0].ToUpperInvariant() switch
        {
            "CPU" when index == 0 => new Device(DeviceKind.Cpu),
            "CUDA" => new Device(DeviceKind.Cuda, index),
            _ => throw Unknown(text),
        };
    }

    /// <summary>Makes sure that the loaded build of ONNX Runtime can serve this device.</summary>
    /// <exception cref="RuntimeUnavailableException">It cannot; the message names the cure.</exception>
    public void RequireProvider()
    {
        if (Kind == DeviceKind.Cpu)
            return;
        var providers = OrtRuntime.Providers;
        if (!providers.Contains(CudaProvider))
        {
            throw new RuntimeUnavailableException(
                $"The device '{this}' was asked for, but this build of ONNX Runtime ({OrtRuntime.Version}) has no {CudaProvider}; it has "
                + $"{string.Join(", ", providers)}. Build with -p:OnnxRuntimePackage=Microsoft.ML.OnnxRuntime.Gpu, or set {OrtRuntime.LibraryVariable} "
                + "to the path of a libonnxruntime.so with CUDA, or use --device cpu.");
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Kind == DeviceKind.Cpu ? "cpu" : string.Create(CultureInfo.InvariantCulture, $"cuda:{Index}");

    private static FormatException Unknown(string text) => new($"The device '{text}' is not known. Devices are cpu, cuda and cuda:<index>.");
}
