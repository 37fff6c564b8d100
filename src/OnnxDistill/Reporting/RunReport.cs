using System.Globalization;
using System.Text.Json.Nodes;
using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Training;

namespace OnnxDistill.Reporting;

/// <summary>A moment of a run that has a picture.</summary>
/// <param name="ImagesSeen">Samples seen, as exactly as the files' names tell.</param>
/// <param name="Samples">The picture of samples.</param>
/// <param name="Denoised">The picture of what teacher and fake score make of them; null where there is none.</param>
internal sealed record RunSnapshot(long ImagesSeen, string Samples, string? Denoised);

/// <summary>A line of incidents.csv.</summary>
internal sealed record RunIncident(string Utc, long ImagesSeen, string Incident, string Detail);

/// <summary>What a run folder holds, read for people. The run may be finished, stopped, or still going on; nothing in its folder is changed.</summary>
internal sealed record RunReport
{
    /// <summary>The run's folder.</summary>
    public required RunFolder Folder { get; init; }
    /// <summary>The method's name and paper.</summary>
    public required string Method { get; init; }
    /// <summary>The resolved recipe.</summary>
    public required Recipe Recipe { get; init; }
    /// <summary>The same as it lies in the folder.</summary>
    public required JsonObject Options { get; init; }
    /// <summary>log.csv, with a row at least.</summary>
    public required RunTable Log { get; init; }
    /// <summary>metrics.csv; null without metrics.</summary>
    public RunTable? Metrics { get; init; }
    /// <summary>All moments with a picture, oldest first.</summary>
    public required IReadOnlyList<RunSnapshot> Snapshots { get; init; }
    /// <summary>What happened beside training.</summary>
    public required IReadOnlyList<RunIncident> Incidents { get; init; }
    /// <summary>Versions, device, threads, ...; null when no state is there.</summary>
    public JsonObject? Environment { get; init; }
    /// <summary>The newest exported model; null when there is none.</summary>
    public string? Model { get; init; }

    /// <summary>Whether the run fits a teacher instead of distilling one.</summary>
    public bool IsFit => Recipe.Method == DenoisingScoreMatching.MethodName;

    /// <summary>How far the log tells of.</summary>
    public long ImagesSeen => (long)Log.Last(StatsLog.ImagesSeenColumn);

    /// <summary>Seconds of training; null in logs without them.</summary>
    public double? Seconds => Log.Last(StatsLog.SecondsColumn) is var seconds && double.IsFinite(seconds) ? seconds : null;

    /// <summary>Whether the run has come to its end.</summary>
    public bool IsFinished => ImagesSeen >= Recipe.Training.Images || (Recipe.Training.Seconds > 0 && Seconds >= Recipe.Training.Seconds);

    /// <summary>Reads a run folder.</summary>
    /// <exception cref="RunFolderException">There is no run, or it has logged nothing yet.</exception>
    /// <exception cref="RecipeException">Its options are damaged.</exception>
    public static RunReport Read(string path)
    {
        if (!Directory.Exists(path))
            throw new RunFolderException($"There is no run folder '{path}'. Check the path.");
        var optionsPath = Path.Combine(path, "options.json");
        if (!File.Exists(optionsPath))
            throw new RunFolderException($"'{path}' holds no run: it has no options.json. Name the folder that 'distill' or 'train' was told to write into.");
        var folder = RunFolder.Open(path);
        var options = RecipeLoader.Parse(File.ReadAllText(optionsPath), $"'{optionsPath}'");
        var recipe = RecipeJson.Read<Recipe>(options, $"'{optionsPath}'");
        var log = RunTable.Read(folder.LogPath);
        if (log is not { Rows.Count: > 0 })
        {
            throw new RunFolderException($"The run in '{path}' has logged nothing yet: the first row of log.csv comes after {recipe.Training.LogImages:N0} samples (training.logImages). "
                + "Wait for it, or let the run go on with --resume.");
        }
        return new RunReport
        {
            Folder = folder,
            Method = MethodText(recipe),
            Recipe = recipe,
            Options = options,
            Log = log,
            Metrics = RunTable.Read(folder.MetricsPath),
            Snapshots = ReadSnapshots(folder.Path),
            Incidents = ReadIncidents(folder.IncidentsPath),
            Environment = ReadEnvironment(folder),
            Model = Counted(folder.Path, "generator-", ".onnx").LastOrDefault().File,
        };
    }

    // A run of another version may have options that this one's method does not know; the name is enough to show it.
    private static string MethodText(Recipe recipe)
    {
        try
        {
            var method = DistillationMethods.Create(recipe.Method, recipe.Options);
            return method.Paper.Length > 0 ? $"{method.Name} ({method.Paper})" : method.Name;
        }
        catch (RecipeException)
        {
            return recipe.Method;
        }
    }

    private static List<RunSnapshot> ReadSnapshots(string folder) => Counted(folder, "samples-", ".png").ConvertAll(s =>
    {
        var denoised = Path.Combine(folder, Path.GetFileName(s.File).Replace("samples-", "denoised-", StringComparison.Ordinal));
        return new RunSnapshot((long)(s.Kimg * 1000), s.File, File.Exists(denoised) ? denoised : null);
    });

    private static List<(decimal Kimg, string File)> Counted(string folder, string prefix, string suffix) =>
    [
        .. Directory.GetFiles(folder, $"{prefix}*{suffix}").Select(f => (Kimg: KimgName.Parse(Path.GetFileName(f).AsSpan()[prefix.Length..^suffix.Length]), File: f))
            .Where(f => f.Kimg is not null).Select(f => (f.Kimg!.Value, f.File)).OrderBy(f => f.Value),
    ];

    private static List<RunIncident> ReadIncidents(string path)
    {
        var incidents = new List<RunIncident>();
        _ = Csv.Read(path, (csv, columns) =>
        {
            if (csv.FieldCount == 4)
                incidents.Add(new RunIncident(csv.GetString(0), long.TryParse(csv.GetString(1), CultureInfo.InvariantCulture, out var seen) ? seen : 0, csv.GetString(2), csv.GetString(3)));
        });
        return incidents;
    }

    private static JsonObject? ReadEnvironment(RunFolder folder)
    {
        var state = folder.LatestStatePath();
        using var stream = File.OpenRead(state);
        return TrainingState.Environment(stream, $"'{state}'");
    }
}
