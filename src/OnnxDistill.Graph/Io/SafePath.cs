namespace OnnxDistill.Graph.Io;

/// <summary>Resolves file names that come out of a model file. A model from a stranger must not read files outside its own
/// folder.</summary>
internal static class SafePath
{
    /// <summary>The full path of a file inside the folder, symbolic links followed.</summary>
    /// <param name="folder">The folder that must contain the file.</param>
    /// <param name="location">The relative name that the model file gives.</param>
    /// <param name="finding">What is wrong with it when the result is null.</param>
    public static string? Resolve(string folder, string location, out string finding)
    {
        // Both separators count on every system: a file made on Windows must not become unsafe elsewhere, nor the reverse.
        var parts = location.Split('/', '\\');
        var isRooted = Path.IsPathRooted(location) || parts[0].Length == 0 || parts[0].EndsWith(':');
        if (isRooted || parts.Contains("..") || location.Contains('\0'))
        {
            finding = $"its external file '{location}' is not a relative path inside the model's folder; put the data beside the model";
            return null;
        }
        try
        {
            var root = Real(Path.GetFullPath(folder));
            var file = Real(Path.GetFullPath(Path.Combine(folder, location)));
            if (!file.StartsWith(Path.EndsInDirectorySeparator(root) ? root : root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            {
                finding = $"its external file '{location}' is a link that leads out of the model's folder; copy the data beside the model";
                return null;
            }
            if (!File.Exists(file))
            {
                finding = $"its external file '{location}' " + (Directory.Exists(file) ? "is a folder" : $"does not exist in '{folder}'");
                return null;
            }
            finding = "";
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            finding = $"its external file '{location}' could not be looked up: {e.Message}";
            return null;
        }
    }

    /// <summary>The path with every symbolic link in it followed, whether or not the file exists.</summary>
    private static string Real(string fullPath)
    {
        var current = Path.GetPathRoot(fullPath) ?? "";
        foreach (var part in fullPath[current.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            current = Path.Combine(current, part);
            // A link's target may itself lie behind links; a circle of links makes ResolveLinkTarget throw an IOException.
            if (new FileInfo(current) is { LinkTarget: not null } link && link.ResolveLinkTarget(returnFinalTarget: true) is { } target)
                current = Real(target.FullName);
        }
        return current;
    }
}
