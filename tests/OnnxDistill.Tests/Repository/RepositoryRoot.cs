namespace OnnxDistill.Tests.Repository;

/// <summary>The folder of the checkout that the tests were built in, found at run time: paths that the compiler records are not real ones in a
/// deterministic build (CI=true).</summary>
internal static class RepositoryRoot
{
    private const string Marker = "OnnxDistill.sln";

    /// <summary>The folder, or null when the tests run outside a checkout.</summary>
    public static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, Marker)))
                return folder.FullName;
        }
        return null;
    }

    /// <summary>A path inside the checkout.</summary>
    public static string Of(params string[] parts) => Path.Combine([Find() ?? throw new DirectoryNotFoundException(
        $"No folder above '{AppContext.BaseDirectory}' holds {Marker}; the tests have to run from within the repository."), .. parts]);
}
