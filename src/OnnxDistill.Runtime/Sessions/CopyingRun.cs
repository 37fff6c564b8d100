using System.Buffers;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Native;

namespace OnnxDistill.Runtime.Sessions;

/// <summary>One run that reads its inputs where they lie and copies its outputs.</summary>
internal static class CopyingRun
{
    /// <summary>Runs and gives the wanted outputs.</summary>
    /// <exception cref="GraphRunException">ONNX Runtime failed.</exception>
    public static IReadOnlyDictionary<string, TensorData> Run(InferenceSession session, string what, IReadOnlyDictionary<string, TensorData> feeds,
        IReadOnlyCollection<string> wanted)
    {
        var pins = new List<MemoryHandle>();
        var values = new Dictionary<string, OrtValue>();
        try
        {
            foreach (var (name, data) in feeds)
                values.Add(name, Wrap(data, pins));
            using var options = new RunOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            using var results = session.Run(options, values, wanted);
            return wanted.Zip(results, (name, value) => KeyValuePair.Create(name, Copy(value))).ToDictionary();
        }
        catch (OnnxRuntimeException e)
        {
            throw OrtMessages.NotRun(what, e);
        }
        finally
        {
            foreach (var value in values.Values)
                value.Dispose();
            foreach (var pin in pins)
                pin.Dispose();
        }
    }

    private static unsafe OrtValue Wrap(TensorData data, List<MemoryHandle> pins)
    {
        var pin = data.Memory.Pin();
        pins.Add(pin);
        return OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, (TensorElementType)data.Type, data.Dims, (nint)pin.Pointer,
            data.Memory.Length);
    }

    private static TensorData Copy(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        var bytes = info.ElementCount == 0 ? [] : value.GetTensorMutableRawData().ToArray();
        return new TensorData((ElementType)info.ElementDataType, info.Shape, bytes);
    }
}
