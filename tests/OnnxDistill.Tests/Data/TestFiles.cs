using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Data;

/// <summary>A folder of one test's files, deleted with it.</summary>
internal sealed class TestFiles : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("onnxdistill-");

    public string Folder => _folder.FullName;

    public string this[string name] => Path.Combine(Folder, name);

    /// <summary>A file of the shared data beside the repository; the test is skipped where that is absent.</summary>
    public static string Shared(string relative)
    {
        var root = RepositoryRoot.Find() ?? throw new AssertInconclusiveException("The tests do not run from within the repository, so the shared data cannot be found.");
        var path = Path.Combine(root, "..", "shared", "data", relative);
        return File.Exists(path) ? path : throw new AssertInconclusiveException($"The shared data file {relative} is not on this machine.");
    }

    public string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    public string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
