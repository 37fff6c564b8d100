namespace OnnxDistill.Training;

/// <summary>The processes of a data parallel run hold different weights.</summary>
public sealed class RanksDisagreeException : Exception
{
    /// <summary>An error with that whole message.</summary>
    public RanksDisagreeException(string message) : base(message)
    {
    }
}
