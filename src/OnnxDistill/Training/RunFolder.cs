using System.Text;

namespace OnnxDistill.Training;

/// <summary>The folder of one run: where every file lies, writes that survive a crash, and the last few states. Counts in file names are
/// those of <see cref="KimgName"/>. From <see cref="Create"/> or <see cref="Resume"/> until it is disposed of it holds the folder's lock, so that
/// no second process writes there.</summary>
public sealed class RunFolder : IDisposable
{
    /// <summary>How event files' names start.</summary>
    public const string EventsPrefix = "events.out.tfevents.";

    private const string StatePrefix = "state-";
    private const string StateSuffix = ".odc";

    private readonly long _interval;
    private readonly int _keepStates;
    private RunLock? _lock;

    private RunFolder(string path, RunFolderOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.IntervalImages, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.KeepStates, 1);
        (Path, _interval, _keepStates) = (System.IO.Path.GetFullPath(path), options.IntervalImages, options.KeepStates);
    }

    /// <summary>The folder, as a full path.</summary>
    public string Path { get; }

    /// <summary>The resolved options of the run.</summary>
    public string OptionsPath => File("options.json");

    /// <summary>The training log, one row a tick.</summary>
    public string LogPath => File("log.csv");

    /// <summary>The metrics, one row an evaluation.</summary>
    public string MetricsPath => File("metrics.csv");

    /// <summary>What happened to the run beside training: resumed elsewhere, diverged, rolled back.</summary>
    public string IncidentsPath => File("incidents.csv");

    /// <summary>The teacher's pairs of a run that draws them for itself.</summary>
    public string PairsPath => File("pairs.npz");

    /// <summary>The report of the run.</summary>
    public string ReportPath => File("report.html");

    /// <summary>The file that names the state to resume from.</summary>
    public string LatestPath => File("latest");

    /// <summary>Makes the folder for a new run; an existing folder may hold other files but no run.</summary>
    /// <exception cref="RunFolderException">The folder holds a run, another process is about to start one there, or the path is a file.</exception>
    public static RunFolder Create(string path, RunFolderOptions? options = null)
    {
        var folder = new RunFolder(path, options ?? new RunFolderOptions());
        if (System.IO.File.Exists(folder.Path))
        {
            throw new RunFolderException($"'{folder.Path}' is a file; name a folder for the run.");
        }

        folder.RefuseRun();
        Directory.CreateDirectory(folder.Path);
        folder._lock = RunLock.Take(folder.Path);
        try
        {
            // Once more: another process may have made a whole run meanwhile.
            folder.RefuseRun();
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Opens the folder of a run to go on with it, and clears away what an interrupted write left.</summary>
    /// <exception cref="RunFolderException">There is no such folder, no state in it to resume from, or another process is at it.</exception>
    public static RunFolder Resume(string path, RunFolderOptions? options = null)
    {
        var folder = new RunFolder(path, options ?? new RunFolderOptions());
        if (!Directory.Exists(folder.Path))
        {
            throw new RunFolderException($"There is no folder '{folder.Path}' to resume from; leave --resume out to start a new run.");
        }

        _ = folder.LatestStatePath();
        folder._lock = RunLock.Take(folder.Path);
        // Half files of states and pictures, and of exported models and arrays (temporary names of OnnxWriter and NpzFile).
        string[] halves = ["*" + AtomicFile.TemporarySuffix, ".generator-*.tmp", ".pairs.npz.*.tmp"];
        foreach (var leftover in halves.SelectMany(pattern => Directory.GetFiles(folder.Path, pattern)))
        {
            System.IO.File.Delete(leftover);
        }

        return folder;
    }

    /// <summary>Opens the folder of a run to look into it. Nothing in it is changed, so the run may still be writing.</summary>
    /// <exception cref="RunFolderException">There is no such folder, or no state in it yet.</exception>
    public static RunFolder Open(string path)
    {
        var folder = new RunFolder(path, new RunFolderOptions());
        if (!Directory.Exists(folder.Path))
        {
            throw new RunFolderException($"There is no run folder '{folder.Path}'. Check the path.");
        }

        _ = folder.LatestStatePath();
        return folder;
    }

    /// <summary>The picture of samples after that many images.</summary>
    public string SamplesPath(long imagesSeen) => Counted("samples-", imagesSeen, ".png");

    /// <summary>The picture of what teacher and fake score make of noised samples after that many images.</summary>
    public string DenoisedPath(long imagesSeen) => Counted("denoised-", imagesSeen, ".png");

    /// <summary>The exported generator after that many images.</summary>
    public string GeneratorPath(long imagesSeen) => Counted("generator-", imagesSeen, ".onnx");

    /// <summary>The training state after that many images.</summary>
    public string StatePath(long imagesSeen) => Counted(StatePrefix, imagesSeen, StateSuffix);

    /// <summary>Where the state of a run that diverged for that time is kept as evidence: no state that is resumed from.</summary>
    public string DivergedPath(int time, long imagesSeen) =>
        Counted(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"diverged-{time}-"), imagesSeen, StateSuffix);

    /// <summary>A state by its file name, or null when it is not there.</summary>
    public string? FindState(string name) => System.IO.File.Exists(File(name)) ? File(name) : null;

    /// <summary>The newest state, or null when there is none.</summary>
    internal string? TryLatestState() => System.IO.File.Exists(LatestPath) ? LatestStatePath() : null;

    /// <summary>The newest state: the one that <c>latest</c> names.</summary>
    /// <exception cref="RunFolderException">There is none.</exception>
    public string LatestStatePath()
    {
        if (!System.IO.File.Exists(LatestPath))
        {
            throw new RunFolderException(
                $"'{Path}' has no state to resume from (no file 'latest'): no run was started there, or it has not saved its first state. " +
                "A run that ended before that has to be started anew in another folder.");
        }

        var name = System.IO.File.ReadAllText(LatestPath).Trim();
        if (name != System.IO.Path.GetFileName(name) || !System.IO.File.Exists(File(name)))
        {
            throw new RunFolderException(
                $"'{LatestPath}' names the state '{name}', which is not in that folder. States there: {string.Join(", ", StateNames())}. " +
                "Write the name of one of them into that file.");
        }

        return File(name);
    }

    /// <summary>Saves a state, points <c>latest</c> at it, and deletes all but the newest few. In that order, so that whenever it is
    /// interrupted <c>latest</c> names a whole state.</summary>
    /// <param name="imagesSeen">Where the run stands.</param>
    /// <param name="write">Writes the state.</param>
    /// <param name="keep">File name of a state that stays, however old: what a diverged run can go back to.</param>
    public void WriteState(long imagesSeen, Action<Stream> write, string? keep = null)
    {
        var path = StatePath(imagesSeen);
        AtomicFile.Write(path, write);
        var name = System.IO.Path.GetFileName(path);
        AtomicFile.Write(LatestPath, Encoding.UTF8.GetBytes(name + "\n"));

        // The state just written is kept even if newer ones lie about: they are from before a resume from an older state.
        var others = StateNames().Where(other => other != name && other != keep).ToList();
        foreach (var old in others.Take(Math.Max(0, others.Count - (_keepStates - 1))))
        {
            System.IO.File.Delete(File(old));
        }
    }

    private string File(string name) => System.IO.Path.Combine(Path, name);

    private string Counted(string prefix, long imagesSeen, string suffix) => File(prefix + KimgName.Format(imagesSeen, _interval) + suffix);

    /// <summary>Lets go of the folder's lock.</summary>
    public void Dispose() => _lock?.Dispose();

    private void RefuseRun()
    {
        if (FirstRunFile() is { } found)
        {
            throw new RunFolderException(
                $"'{Path}' already holds a run (it has {found}); resume it with --resume, or name another folder. " +
                "Nothing was overwritten.");
        }
    }

    private string? FirstRunFile()
    {
        if (!Directory.Exists(Path))
        {
            return null;
        }

        string[] single = [OptionsPath, LogPath, MetricsPath, LatestPath];
        return single.Where(System.IO.File.Exists).Select(System.IO.Path.GetFileName).FirstOrDefault()
            ?? StateNames().FirstOrDefault()
            ?? Directory.GetFiles(Path, EventsPrefix + "*").Select(System.IO.Path.GetFileName).FirstOrDefault();
    }

    /// <summary>The states, oldest first.</summary>
    private IEnumerable<string> StateNames() =>
        Directory.GetFiles(Path, $"{StatePrefix}*{StateSuffix}")
            .Select(static path => System.IO.Path.GetFileName(path))
            .Select(static name => (Name: name, Kimg: KimgName.Parse(name.AsSpan()[StatePrefix.Length..^StateSuffix.Length])))
            .Where(static state => state.Kimg is not null)
            .OrderBy(static state => state.Kimg)
            .Select(static state => state.Name);
}
