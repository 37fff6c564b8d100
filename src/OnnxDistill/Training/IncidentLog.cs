using System.Globalization;
using System.Text;

namespace OnnxDistill.Training;

/// <summary>
/// incidents.csv of a run folder: what happened to the run (resumed elsewhere, diverged, rolled back), one line each. Unlike log.csv it is
/// never cut: rows of a stretch that a rollback has undone are gone from the log, and this file says why.
/// </summary>
internal sealed class IncidentLog(string path, IRunObserver observer)
{
    private const string Header = "utc,images_seen,incident,detail\n";

    /// <summary>Tells the observer and adds a line to the file; the file exists from the first line on.</summary>
    public void Add(long imagesSeen, string incident, string detail)
    {
        observer.Note($"{incident}: {detail}");
        var time = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var line = string.Create(CultureInfo.InvariantCulture, $"{time},{imagesSeen},{incident},\"{detail.Replace("\"", "\"\"", StringComparison.Ordinal)}\"\n");
        File.AppendAllText(path, File.Exists(path) ? line : Header + line, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
    }
}
