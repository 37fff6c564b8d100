using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Io;

/// <summary>The folder of outside test data, which lies beside the repository and need not be there.</summary>
internal static class SharedFiles
{
    public static string Data()
    {
        if (RepositoryRoot.Find() is { } root && Path.GetFullPath(Path.Combine(root, "..", "shared", "data")) is var data && Directory.Exists(data))
            return data;
        Assert.Inconclusive("The folder ../shared/data beside the repository is not there.");
        return "";
    }
}
