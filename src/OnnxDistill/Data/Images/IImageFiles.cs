namespace OnnxDistill.Data.Images;

/// <summary>Encoded images by name, in a folder or an archive; read by any number of threads at once. Owns open files; disposing of it closes them, and the next
/// reading opens them again.</summary>
internal interface IImageFiles : IDisposable
{
    /// <summary>Where they are, as messages say it.</summary>
    string Name { get; }

    /// <summary>Names inside, with / between levels, in ordinal order: the same on every machine.</summary>
    IReadOnlyList<string> Paths { get; }

    /// <summary>The bytes of one file.</summary>
    /// <exception cref="InvalidDataException">They are damaged, or more than they claim to be.</exception>
    /// <exception cref="IOException">They can no longer be read.</exception>
    byte[] Read(int index);
}
