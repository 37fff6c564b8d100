using System.Globalization;

namespace OnnxDistill.Training;

/// <summary>The image count in file names, in thousands of images (kimg). A run that writes files at least 1,000 images apart counts
/// whole thousands, rounded down: <c>000128</c>. A run that writes more often always adds three decimals, <c>000128.064</c>, so that no
/// two files share a name. Within a run all names are equally long and sort by age under any collation. (The last file of a run may come
/// sooner after its predecessor than all others; in the whole form it then replaces it.)</summary>
public static class KimgName
{
    private const int Thousand = 1000;

    /// <summary>The count as it stands in file names.</summary>
    /// <param name="imagesSeen">How many images the run has seen.</param>
    /// <param name="interval">The smallest number of images between two files of the run.</param>
    public static string Format(long imagesSeen, long interval)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(imagesSeen);
        ArgumentOutOfRangeException.ThrowIfLessThan(interval, 1);
        var whole = (imagesSeen / Thousand).ToString("D6", CultureInfo.InvariantCulture);
        return interval >= Thousand ? whole : string.Create(CultureInfo.InvariantCulture, $"{whole}.{imagesSeen % Thousand:D3}");
    }

    /// <summary>The count as a number of thousands; null when the text is no such count.</summary>
    public static decimal? Parse(ReadOnlySpan<char> text) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var kimg) ? kimg : null;
}
