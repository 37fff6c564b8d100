namespace OnnxDistill.Bench;

internal static class Checkout
{
    /// <summary>The checkout that this program was built in.</summary>
    public static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "OnnxDistill.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException("No OnnxDistill.sln above the program: run the benchmark from its build folder inside the checkout.");
    }
}
