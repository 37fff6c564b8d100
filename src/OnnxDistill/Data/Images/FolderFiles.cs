using System.IO.Enumeration;

namespace OnnxDistill.Data.Images;

/// <summary>Images of a folder and all folders below it. Links to files are read; links to folders are not followed, since they may go round.</summary>
internal sealed class FolderFiles : IImageFiles
{
    private readonly List<(string Path, string File)> _files;

    public FolderFiles(string folder)
    {
        var root = Path.GetFullPath(folder);
        Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(root));
        var files = new FileSystemEnumerable<string>(root, static (ref FileSystemEntry e) => e.ToFullPath(),
            new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, AttributesToSkip = default })
        {
            ShouldIncludePredicate = static (ref FileSystemEntry e) => !e.IsDirectory,
            ShouldRecursePredicate = static (ref FileSystemEntry e) => !e.Attributes.HasFlag(FileAttributes.ReparsePoint),
        };
        _files = ImageFileNames.Sorted(files.Select(file => (Path.GetRelativePath(root, file), file)), folder);
        Paths = [.. _files.Select(static f => f.Path)];
    }

    public string Name { get; }

    public IReadOnlyList<string> Paths { get; }

    public byte[] Read(int index)
    {
        using var file = File.OpenRead(_files[index].File);
        return ImageFileNames.ReadStated(file, file.Length);
    }

    public void Dispose()
    {
    }
}
