namespace OnnxDistill.Tests.Data;

/// <summary>Errors as users see them: of exactly that type, with those words in the message.</summary>
internal static class Expect
{
    public static void Error<TException>(Action action, params string[] words)
        where TException : Exception
    {
        var error = Assert.ThrowsExactly<TException>(action);
        foreach (var word in words)
        {
            StringAssert.Contains(error.Message, word);
        }
    }
}
