namespace OnnxDistill.Tests.Io;

/// <summary>The folder of outside test data, which lies beside the repository and need not be there.</summary>
internal static class SharedFiles
{
    public static string Data()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "OnnxDistill.sln")))
                continue;
            var data = Path.GetFullPath(Path.Combine(folder.FullName, "..", "shared", "data"));
            if (Directory.Exists(data))
                return data;
        }
        Assert.Inconclusive("The folder ../shared/data beside the repository is not there.");
        return "";
    }
}
