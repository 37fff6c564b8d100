using Microsoft.ML.OnnxRuntime;
using OnnxDistill.Graph;

namespace OnnxDistill.Runtime.Native;

/// <summary>Turns ONNX Runtime's errors into ours: what, where, what to try.</summary>
internal static class OrtMessages
{
    // ONNX Runtime 1.31 has no error code of its own for an operator that it does not know, or has no kernel for.
    private static readonly string[] UnknownOperator =
        ["[ErrorCode:NotImplemented]", "No Op registered for", "is not a registered function/op", "Could not find an implementation"];

    /// <summary>ONNX Runtime's words without its error code and its source paths, ending in a full stop.</summary>
    public static string Clean(OnnxRuntimeException error)
    {
        var text = error.Message.Replace('\n', ' ').Trim();
        if (text.StartsWith("[ErrorCode:", StringComparison.Ordinal) && text.IndexOf(']') is > 0 and var end)
            text = text[(end + 1)..].Trim();
        return text.EndsWith('.') ? text : text + ".";
    }

    /// <summary>What .NET says of a library that does not load, without its list of every path that it tried.</summary>
    public static string FirstSentence(Exception error)
    {
        var line = error.Message.AsSpan();
        line = line[..(line.IndexOf('\n') is >= 0 and var end ? end : line.Length)].Trim();
        return line.IndexOf(". ") is >= 0 and var stop ? line[..(stop + 1)].ToString() : line.EndsWith(".") ? line.ToString() : $"{line}.";
    }

    /// <summary>The error for a graph that could not become a session.</summary>
    public static Exception NotCreated(string what, OnnxRuntimeException error)
    {
        var words = Clean(error);
        if (Array.Exists(UnknownOperator, mark => error.Message.Contains(mark, StringComparison.Ordinal)))
        {
            return new UnsupportedOpException($"ONNX Runtime {OrtRuntime.Version} cannot run {what}: {words} Convert the model to standard ONNX "
                + "operators of an opset that ONNX Runtime knows, or use a build of ONNX Runtime that contains the operator.");
        }
        return new ModelFileException($"ONNX Runtime {OrtRuntime.Version} does not accept {what}: {words} Check the file with an ONNX checker, or export it again.",
            error);
    }

    /// <summary>The error for a run that failed.</summary>
    public static GraphRunException NotRun(string what, OnnxRuntimeException error) =>
        new($"ONNX Runtime failed while it ran {what}: {Clean(error)}"
            + (error.Message.Contains("alloc", StringComparison.OrdinalIgnoreCase) ? " Use a smaller batch, or a device with more memory." : ""), error);
}
