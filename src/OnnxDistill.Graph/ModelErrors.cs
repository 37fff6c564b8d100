namespace OnnxDistill.Graph;

/// <summary>A file is missing, damaged or unsafe: what was found, what was expected, where, what to try. Exit code 3.</summary>
public sealed class ModelFileException : Exception
{
    /// <summary>An error with that whole message.</summary>
    public ModelFileException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}

/// <summary>A model uses something that OnnxDistill cannot differentiate or convert; lists all of it at once. Exit code 4.</summary>
public sealed class UnsupportedOpException : Exception
{
    /// <summary>An error with that whole message.</summary>
    public UnsupportedOpException(string message) : base(message)
    {
    }
}
