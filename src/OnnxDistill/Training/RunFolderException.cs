namespace OnnxDistill.Training;

/// <summary>A run folder cannot be used as asked: it holds a run already, or holds none to go on with. Exit code 2.</summary>
public sealed class RunFolderException : Exception
{
    /// <summary>An error with that whole message.</summary>
    public RunFolderException(string message) : base(message)
    {
    }
}
