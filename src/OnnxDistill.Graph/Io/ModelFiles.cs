namespace OnnxDistill.Graph.Io;

/// <summary>Reads whole files, turning what the operating system may say into errors that a user can act on.</summary>
internal static class ModelFiles
{
    /// <summary>All bytes of the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="kind">What it should be, for instance <c>model</c>.</param>
    /// <param name="tooLarge">What to do when it is larger than one buffer can be.</param>
    /// <exception cref="ModelFileException">It is missing, a folder, empty, too large or not readable.</exception>
    public static byte[] ReadAll(string path, string kind, string tooLarge = "")
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            throw new ModelFileException($"Expected a {kind} file at '{path}', found a folder. Name the file inside it.");
        var file = new FileInfo(path);
        if (!file.Exists)
            throw new ModelFileException($"There is no {kind} file '{path}' (looked in '{file.DirectoryName}').");
        if (file.Length > Array.MaxLength)
            throw new ModelFileException($"The {kind} file '{path}' has {file.Length} bytes, {Array.MaxLength} can be read.{tooLarge}");
        try
        {
            var bytes = file.Length == 0 ? [] : File.ReadAllBytes(path);
            return bytes.Length > 0 ? bytes : throw new ModelFileException($"The {kind} file '{path}' is empty.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFileException($"The {kind} file '{path}' could not be read: {e.Message}", e);
        }
    }
}
