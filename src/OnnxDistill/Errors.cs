namespace OnnxDistill;

/// <summary>A teacher does not fit what is asked of it: its inputs, its card, or its convention. Exit code 4.</summary>
public sealed class TeacherMismatchException : Exception
{
    /// <summary>An error with that whole message.</summary>
    public TeacherMismatchException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}

/// <summary>A recipe (or the state it resumes) is wrong: unknown key, value out of range, missing file. Exit code 3.</summary>
public sealed class RecipeException : Exception
{
    /// <summary>An error with that whole message.</summary>
    public RecipeException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}

/// <summary>Training went to numbers that are no longer finite. Exit code 6.</summary>
public sealed class DivergedException : Exception
{
    /// <summary>An error with that whole message.</summary>
    public DivergedException(string message) : base(message)
    {
    }
}

/// <summary>A check of a result failed: an exported file differs from the graph it was made of. Exit code 5.</summary>
public sealed class CheckFailedException : Exception
{
    /// <summary>An error with that whole message.</summary>
    public CheckFailedException(string message) : base(message)
    {
    }
}
