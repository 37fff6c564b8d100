using System.Text;
using System.Text.Json.Nodes;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Parallel;

namespace OnnxDistill.Training;

/// <summary>
/// Everything that a run writes: options, rows of the log, events, snapshots, states, incidents; and how it goes back when it diverged. Rows and
/// snapshots come before the state of the same moment: a process that is killed between them writes them again. Of several ranks rank 0 does
/// it, the others keep step. Owns the open files.
/// </summary>
internal sealed class RunRecorder : IDisposable
{
    private readonly TrainingEngine _engine;
    private readonly RunFolder? _folder;
    private readonly IRankGroup _ranks;
    private readonly IRunObserver _observer;
    private readonly SnapshotWriter _snapshots;
    private readonly IncidentLog? _incidents;
    private readonly List<string> _warnings = [];
    private RowAccumulator _rows = new();
    private StatsLog? _log;
    private EventFile? _events;

    /// <param name="engine">What is recorded.</param>
    /// <param name="folder">Where; null on all ranks but 0.</param>
    /// <param name="snapshots">Who makes snapshots.</param>
    /// <param name="observer">Who watches.</param>
    /// <param name="ranks">The processes that train together.</param>
    public RunRecorder(TrainingEngine engine, RunFolder? folder, SnapshotWriter snapshots, IRunObserver observer, IRankGroup ranks)
    {
        (_engine, _folder, _snapshots, _observer, _ranks) = (engine, folder, snapshots, observer, ranks);
        _incidents = folder is null ? null : new IncidentLog(folder.IncidentsPath, observer);
        Guard = new DivergenceGuard(Training);
        Clock = new TrainingClock(Training, ranks);
    }

    public DivergenceGuard Guard { get; private set; }

    public TrainingClock Clock { get; }

    /// <summary>Where the newest state stands.</summary>
    public long SavedAt { get; private set; } = -1;

    private TrainingOptions Training => _engine.Program.Recipe.Recipe.Training;

    /// <summary>The files of a new run, and its first snapshot and state: from then on it can be resumed.</summary>
    public void Begin()
    {
        RankAgreement.Share(_engine, _ranks, null);
        WriteOptions();
        OpenFiles(resumed: false);
        _snapshots.Write(_engine, Clock.Shown);
        Save();
    }

    /// <summary>Goes on from the folder's newest state.</summary>
    /// <param name="exact">Refuse to go on where the bits may differ from those of an unbroken run.</param>
    public void Resume(bool exact)
    {
        var path = _folder?.LatestStatePath();
        var notes = Load(path);
        if (notes.Differences.Count > 0)
        {
            var differences = string.Join("; ", notes.Differences);
            if (exact)
            {
                throw new RecipeException($"'{path}' cannot be continued bit for bit: {differences}. Resume where and as it was made, or without asking for exactness; "
                    + "then the run goes on from the same state, but its numbers may differ in their last bits.");
            }
            _warnings.Add($"numbers may differ in their last bits from those of an unbroken run: {differences}");
        }
        Guard = new DivergenceGuard(Training, notes.Loop?["guard"] as JsonObject);
        Clock.Resume(notes.Loop?["seconds"]?.GetValue<double>() ?? 0);
        if (notes.Loop?["guard"] is null)
            Guard.Saving(StateName(path)); // a state that somebody else's loop has made
        SavedAt = _engine.ImagesSeen;
        WriteOptions();
        OpenFiles(resumed: true);
        foreach (var warning in _warnings)
            _incidents?.Add(_engine.ImagesSeen, "warning", warning);
    }

    public void Add(IterationResult result, TimeSpan time)
    {
        Clock.Add(time);
        _rows.Add(result, _engine.Program.Task.Batch);
        Guard.Add(result);
    }

    public void WriteRow()
    {
        var (numbers, speed) = _rows.Take(Guard.Skipped, Clock.Shown);
        _log?.Append(_engine.ImagesSeen, numbers);
        foreach (var (name, number) in numbers)
            _events?.Scalar(_engine.ImagesSeen, $"train/{name}", number);
        var toTheEnd = (Training.Images - _engine.ImagesSeen) / Math.Max(speed, 1e-9);
        var remaining = TimeSpan.FromSeconds(Training.Seconds > 0 ? Math.Min(toTheEnd, Math.Max(0, Training.Seconds - Clock.Seconds)) : toTheEnd);
        _observer.Progress(new RunProgress(_engine.ImagesSeen, Training.Images, numbers, speed, remaining));
    }

    /// <summary>That this time was not spent on training.</summary>
    public void Exclude(TimeSpan time) => _rows.Exclude(time);

    /// <summary>Snapshot and state, as far as they are due; their time does not count as training.</summary>
    public void Maintain(bool snapshot, bool state)
    {
        var pause = TimeProvider.System.GetTimestamp();
        if (snapshot)
            _snapshots.Write(_engine, Clock.Shown);
        if (state)
            Save();
        _rows.Exclude(TimeProvider.System.GetElapsedTime(pause));
    }

    /// <summary>
    /// A run that diverged goes back to its newest good state and on from there with smaller learning rates. Noise is a function of the iteration, so it
    /// sees the same noise again. The new state over the old one says that this has happened, so that kill and resume stay exact.
    /// </summary>
    /// <exception cref="DivergedException">It may not go back, or no longer can.</exception>
    public void RollBack()
    {
        var diverged = _engine.ImagesSeen;
        var evidence = _folder?.DivergedPath(Guard.Rollbacks + 1, diverged) ?? "";
        if (_folder is not null)
            AtomicFile.Write(evidence, stream => TrainingState.Write(_engine, stream, Notes()));
        var found = $"{Guard.BadInARow} steps in a row had a loss or gradients that are not finite (up to step {_engine.Iteration}); their state is kept as {Path.GetFileName(evidence)}";
        var good = Guard.MayRollBack ? _folder?.FindState(Guard.LastGood!) : null;
        if (!Guard.MayRollBack || (good is null && _folder is not null))
        {
            WriteRow();
            _incidents?.Add(diverged, "diverged", found);
            throw new DivergedException($"The run in '{_folder?.Path}' diverged: {found}. It has gone back {Guard.Rollbacks} of {Training.Rollbacks} times (training.rollbacks)"
                + (Guard.LastGood is null ? " and has no state that a good step has followed. Lower the learning rate or clip gradients (training.optimizer.clipNorm) in a new run."
                : ". Lower the learning rate or clip gradients (training.optimizer.clipNorm) in a new run, or let this one go back once more with a smaller step: "
                    + $"--resume '{_folder?.Path}' --set training.rollbacks={Guard.Rollbacks + 1} --set training.rollbackFactor=0.1."));
        }

        var factor = _engine.LearningRateFactor * Training.RollbackFactor;
        Load(good);
        _engine.LearningRateFactor = factor;
        Guard.RolledBack();
        OpenFiles(resumed: true);
        Save();
        _incidents?.Add(diverged, "rolled back", FormattableString.Invariant(
            $"{found}; back to {StateName(good)} ({_engine.ImagesSeen:N0} samples), from there with {factor:G4} of the recipe's learning rates"));
    }

    /// <summary>Saves the state.</summary>
    /// <param name="regular">Whether an unbroken run would save it too: only to such a state a diverged run goes back, or a stop would change what comes later.</param>
    public void Save(bool regular = true)
    {
        if (regular)
            Guard.Saving(StateName(_folder?.StatePath(_engine.ImagesSeen)));
        RankAgreement.Check(_engine, _ranks);
        _folder?.WriteState(_engine.ImagesSeen, stream => TrainingState.Write(_engine, stream, Notes()), Guard.LastGood);
        SavedAt = _engine.ImagesSeen;
    }

    public RunResult Result() => new(_engine.ImagesSeen, _engine.ImagesSeen < Training.Images && !Clock.IsUp, _snapshots.GeneratorPath, _snapshots.Metrics)
    {
        Warnings = _warnings,
        Rollbacks = Guard.Rollbacks,
        SkippedUpdates = Guard.Skipped,
        NonFiniteLosses = Guard.NonFiniteLosses,
        ReplacedNumbers = Guard.Replaced,
    };

    public void Dispose() => CloseFiles();

    private JsonObject Notes() => new() { ["row"] = _rows.Save(), ["guard"] = Guard.Save(), ["seconds"] = Clock.Seconds };

    // Rank 0 reads; the others get its numbers and its loop's notes.
    private StateNotes Load(string? path)
    {
        var notes = new StateNotes(null, []);
        if (path is not null)
        {
            using var stream = File.OpenRead(path);
            notes = TrainingState.Read(_engine, stream, $"'{path}'");
        }
        notes = notes with { Loop = RankAgreement.Share(_engine, _ranks, notes.Loop) };
        _rows = new RowAccumulator(notes.Loop?["row"] as JsonObject);
        return notes;
    }

    // Only that there is one matters to a rank that has no files.
    private static string StateName(string? path) => path is null ? "rank 0's" : Path.GetFileName(path);

    private void WriteOptions()
    {
        if (_folder is not null)
            AtomicFile.Write(_folder.OptionsPath, Encoding.UTF8.GetBytes(RecipeLoader.ToJson(_engine.Program.Recipe.Recipe).ToJsonString(RecipeJson.Options) + "\n"));
    }

    private void OpenFiles(bool resumed)
    {
        CloseFiles();
        if (_folder is null)
            return;
        string[] columns = [.. RowAccumulator.Columns(_engine.Program)];
        _log = resumed ? StatsLog.Resume(_folder.LogPath, _engine.ImagesSeen, columns) : StatsLog.Create(_folder.LogPath, columns);
        _events = EventFile.Create(_folder.Path, resumed ? _engine.ImagesSeen : null);
        _snapshots.Open(_folder, resumed, _engine.ImagesSeen, _events);
    }

    private void CloseFiles()
    {
        _log?.Dispose();
        _events?.Dispose();
    }
}
