namespace OnnxDistill.Runtime;

/// <summary>ONNX Runtime's native library, or the execution provider that was asked for, is not there: what was found, what was expected,
/// what to try.</summary>
public sealed class RuntimeUnavailableException : Exception
{
    /// <summary>An error with that whole message.</summary>
    public RuntimeUnavailableException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}

/// <summary>ONNX Runtime failed while it ran a graph that it had accepted; names the graph and repeats ONNX Runtime's own words.</summary>
public sealed class GraphRunException : Exception
{
    /// <summary>An error with that whole message.</summary>
    public GraphRunException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}
