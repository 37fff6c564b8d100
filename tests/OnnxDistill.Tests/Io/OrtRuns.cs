using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Tests.Io;

/// <summary>Runs written models on ONNX Runtime as they stand: one thread, no graph optimisation.</summary>
internal static class OrtRuns
{
    public static IReadOnlyList<TensorData> Run(byte[] model, IReadOnlyDictionary<string, TensorData> feeds)
    {
        using var options = Options();
        using var session = new InferenceSession(model, options);
        return Run(session, feeds);
    }

    public static IReadOnlyList<TensorData> Run(string path, IReadOnlyDictionary<string, TensorData> feeds)
    {
        using var options = Options();
        using var session = new InferenceSession(path, options);
        return Run(session, feeds);
    }

    private static List<TensorData> Run(InferenceSession session, IReadOnlyDictionary<string, TensorData> feeds)
    {
        var inputs = feeds.ToDictionary(static f => f.Key, static f => ToOrt(f.Value));
        using var run = new RunOptions();
        using var outputs = session.Run(run, inputs, session.OutputNames);
        foreach (var input in inputs.Values)
            input.Dispose();
        return [.. outputs.Select(FromOrt)];
    }

    private static SessionOptions Options() => new()
    {
        GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
        IntraOpNumThreads = 1,
        LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
    };

    private static OrtValue ToOrt(TensorData tensor) => tensor.Type switch
    {
        ElementType.Float32 => OrtValue.CreateTensorValueFromMemory(tensor.As<float>().ToArray(), tensor.Dims),
        ElementType.Int64 => OrtValue.CreateTensorValueFromMemory(tensor.As<long>().ToArray(), tensor.Dims),
        ElementType.Int32 => OrtValue.CreateTensorValueFromMemory(tensor.As<int>().ToArray(), tensor.Dims),
        ElementType.Bool => OrtValue.CreateTensorValueFromMemory(tensor.As<bool>().ToArray(), tensor.Dims),
        _ => throw new NotSupportedException($"Feeds of type {tensor.Type} are not needed by any test so far."),
    };

    private static TensorData FromOrt(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        // Both number element types as the ONNX format does.
        return new TensorData((ElementType)info.ElementDataType, info.Shape, MemoryMarshal.AsBytes(value.GetTensorDataAsSpan<byte>()).ToArray());
    }
}
