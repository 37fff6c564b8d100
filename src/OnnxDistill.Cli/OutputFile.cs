namespace OnnxDistill.Cli;

/// <summary>Finds out before the work whether its result can be written.</summary>
internal static class OutputFile
{
    /// <summary>Refuses a path that is a folder or lies in a place that cannot be written to. Leaves nothing behind.</summary>
    /// <exception cref="RecipeException">The path cannot be written.</exception>
    public static void Require(string path, string option = "--output")
    {
        if (Directory.Exists(path))
            throw new RecipeException($"{option}: '{path}' is a folder, expected a file's name, for instance '{Path.Combine(path, "result")}' with an ending.");
        RequireFolder(Path.GetDirectoryName(Path.GetFullPath(path))!, option);
    }

    /// <summary>Refuses a folder that cannot be made or written to.</summary>
    /// <exception cref="RecipeException">It cannot.</exception>
    public static void RequireFolder(string folder, string option = "--output")
    {
        var existing = Path.GetFullPath(folder);
        while (!Path.Exists(existing) && Path.GetDirectoryName(existing) is { } parent)
            existing = parent;
        if (!Directory.Exists(existing))
            throw new RecipeException($"{option}: '{existing}' is a file, so there can be no folder '{folder}'. Name another place.");
        try
        {
            var probe = Path.Combine(existing, $".onnxdistill-{Guid.NewGuid():N}.tmp");
            using var file = new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RecipeException($"{option}: nothing can be written in '{existing}': it is read-only, full, or belongs to somebody else. Name another place.", error);
        }
    }
}
