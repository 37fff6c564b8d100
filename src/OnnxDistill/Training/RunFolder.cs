using System.Text;

namespace OnnxDistill.Training;

/// <summary>The folder of one run: where every file lies, writes that survive a crash, and the last few states. Counts in file names are
/// those of <see cref="KimgName"/>.</summary>
public sealed class RunFolder
{
    /// <summary>How event files' names start.</summary>
    public const string EventsPrefix = "events.out.tfevents.";

    private const string StatePrefix = "state-";
    private const string StateSuffix = ".odc";

    private readonly long _interval;
    private readonly int _keepStates;

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

    /// <summary>The report of the run.</summary>
    public string ReportPath => File("report.html");

    /// <summary>The file that names the state to resume from.</summary>
    public string LatestPath => File("latest");

    /// <summary>Makes the folder for a new run; an existing folder may hold other files but no run.</summary>
    /// <exception cref="RunFolderException">The folder holds a run, or the path is a file.</exception>
    public static RunFolder Create(string path, RunFolderOptions? options = null)
    {
        var folder = new RunFolder(path, options ?? new RunFolderOptions());
        if (System.IO.File.Exists(folder.Path))
        {
            throw new RunFolderException($"'{folder.Path}' is a file; name a folder for the run.");
        }

        if (folder.FirstRunFile() is { } found)
        {
            throw new RunFolderException(
                $"'{folder.Path}' already holds a run (it has {found}); resume it with --resume, or name another folder. " +
                "Nothing was overwritten.");
        }

        Directory.CreateDirectory(folder.Path);
        return folder;
    }

    /// <summary>Opens the folder of a run to go on with it, and clears away what an interrupted write left.</summary>
    /// <exception cref="RunFolderException">There is no such folder, or no state in it to resume from.</exception>
    public static RunFolder Resume(string path, RunFolderOptions? options = null)
    {
        var folder = new RunFolder(path, options ?? new RunFolderOptions());
        if (!Directory.Exists(folder.Path))
        {
            throw new RunFolderException($"There is no folder '{folder.Path}' to resume from; leave --resume out to start a new run.");
        }

        _ = folder.LatestStatePath();
        foreach (var leftover in Directory.GetFiles(folder.Path, "*" + AtomicFile.TemporarySuffix))
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

    /// <summary>The exported generator after that many images.</summary>
    public string GeneratorPath(long imagesSeen) => Counted("generator-", imagesSeen, ".onnx");

    /// <summary>The training state after that many images.</summary>
    public string StatePath(long imagesSeen) => Counted(StatePrefix, imagesSeen, StateSuffix);

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
    public void WriteState(long imagesSeen, Action<Stream> write)
    {
        var path = StatePath(imagesSeen);
        AtomicFile.Write(path, write);
        var name = System.IO.Path.GetFileName(path);
        AtomicFile.Write(LatestPath, Encoding.UTF8.GetBytes(name + "\n"));

        // The state just written is kept even if newer ones lie about: they are from before a resume from an older state.
        var others = StateNames().Where(other => other != name).ToList();
        foreach (var old in others.Take(Math.Max(0, others.Count - (_keepStates - 1))))
        {
            System.IO.File.Delete(File(old));
        }
    }

    private string File(string name) => System.IO.Path.Combine(Path, name);

    private string Counted(string prefix, long imagesSeen, string suffix) => File(prefix + KimgName.Format(imagesSeen, _interval) + suffix);

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
