using OnnxDistill.Graph;

namespace OnnxDistill.Data.Images;

/// <summary>What an archive of images may claim: encoded images hardly shrink, so what grows much in unpacking is made to fill the memory.</summary>
internal static class ArchiveLimits
{
    // A picture of one colour in a format without compression shrinks to a thousandth, so small ones may.
    private const long FreeBytes = 1L << 20;
    private const long MostGrowth = 100;

    /// <summary>Refuses an entry, or a whole archive, that would grow too much.</summary>
    /// <param name="where">The archive, or its entry.</param>
    /// <param name="packed">Bytes as they are stored.</param>
    /// <param name="unpacked">Bytes that they become.</param>
    /// <exception cref="ModelFileException">They do.</exception>
    public static void Require(string where, long packed, long unpacked)
    {
        if (unpacked > FreeBytes && unpacked / MostGrowth > packed)
        {
            throw new ModelFileException($"{where} would grow from {packed:N0} to {unpacked:N0} bytes, expected at most {MostGrowth} times as much for images. "
                + "It may be made to fill the memory; if you trust it, unpack it and name the folder.");
        }
    }
}
