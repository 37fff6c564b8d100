using OnnxDistill.Runtime.Parallel;

namespace OnnxDistill.Training;

/// <summary>How a run ended.</summary>
/// <param name="ImagesSeen">Samples that the student's step has seen.</param>
/// <param name="Stopped">Whether the user stopped it; its state is saved.</param>
/// <param name="GeneratorPath">The newest exported model.</param>
/// <param name="Metrics">The newest metrics.</param>
public sealed record RunResult(long ImagesSeen, bool Stopped, string GeneratorPath, IReadOnlyDictionary<string, double> Metrics)
{
    /// <summary>What the user should know of how the run was resumed; empty when nothing is amiss.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>How often the run diverged and went back to a good state.</summary>
    public int Rollbacks { get; init; }

    /// <summary>Updates left out because their loss or gradient was not finite, over the whole run.</summary>
    public long SkippedUpdates { get; init; }

    /// <summary>Updates whose loss was not finite, over the whole run.</summary>
    public long NonFiniteLosses { get; init; }

    /// <summary>Numbers of gradients that were not finite and have been replaced, over the whole run.</summary>
    public long ReplacedNumbers { get; init; }
}

/// <summary>The loop: steps, rows of the log, snapshots, states. Straight-line, one run a call.</summary>
public static class Trainer
{
    /// <summary>Starts a run in a new folder, or goes on with the one that is there.</summary>
    /// <param name="program">What to train.</param>
    /// <param name="path">The run folder.</param>
    /// <param name="resume">Go on from the folder's newest state.</param>
    /// <param name="observer">Who watches.</param>
    /// <param name="stop">Stops after the current step, saves the state and returns.</param>
    /// <param name="exact">Refuse to resume where versions, device, processor or threads are others than the state was made with.</param>
    /// <param name="ranks">The processes that the program was built for, all of which call this; rank 0 alone touches files. Null for this one alone.</param>
    /// <exception cref="DivergedException">Too many steps in a row had losses or gradients that are not finite, and the run could not go back.</exception>
    /// <exception cref="RecipeException">The state to resume from is damaged, belongs to another recipe, or cannot be continued exactly.</exception>
    /// <exception cref="RunFolderException">The folder cannot be used as asked, or another process is at it.</exception>
    /// <exception cref="DiskFullException">Something could not be written; the newest state is whole.</exception>
    public static RunResult Run(TrainingProgram program, string path, bool resume, IRunObserver observer, CancellationToken stop, bool exact = false,
        IRankGroup? ranks = null)
    {
        var group = ranks ?? SingleRank.Group;
        // Sessions and metrics first, so that nothing is written when something is wrong.
        using var engine = new TrainingEngine(program, ranks: group);
        using var snapshots = new SnapshotWriter(program, observer, group);
        using var folder = group.Rank > 0 ? null : Open(program.Recipe.Recipe.Training, path, resume);
        foreach (var note in program.Images?.Notes ?? [])
            observer.Note(note);
        program.Pairs?.Load(folder?.PairsPath, group);
        try
        {
            using var recorder = new RunRecorder(engine, folder, snapshots, observer, group);
            if (resume)
                recorder.Resume(exact);
            else
                recorder.Begin();
            if (MakePairs(program, folder, recorder, observer, stop, group))
                Train(engine, recorder, observer, () => RankAgreement.Any(stop.IsCancellationRequested, group));
            return recorder.Result();
        }
        catch (Exception error) when (folder is not null && DiskFullException.Means(error))
        {
            throw DiskFullException.Of(error, folder);
        }
    }

    // After the first state is saved: a run that is stopped or killed meanwhile can be resumed, and makes them anew.
    private static bool MakePairs(TrainingProgram program, RunFolder? folder, RunRecorder recorder, IRunObserver observer, CancellationToken stop, IRankGroup ranks)
    {
        if (program.Pairs is not { IsReady: false } pairs)
            return true;
        var start = TimeProvider.System.GetTimestamp();
        var made = pairs.Make(folder?.PairsPath, observer, stop, ranks);
        recorder.Exclude(TimeProvider.System.GetElapsedTime(start));
        return made;
    }

    private static void Train(TrainingEngine engine, RunRecorder recorder, IRunObserver observer, Func<bool> stops)
    {
        var training = engine.Program.Recipe.Recipe.Training;
        var last = engine.ImagesSeen >= training.Images || recorder.Clock.IsUp;
        while (!last && !stops())
        {
            var (before, started) = (engine.ImagesSeen, TimeProvider.System.GetTimestamp());
            var result = engine.Step();
            recorder.Add(result, TimeProvider.System.GetElapsedTime(started));
            observer.Stepped(engine.ImagesSeen, training.Images);
            if (recorder.Guard.Diverged)
            {
                recorder.RollBack();
                continue;
            }

            // Maintain: rows, snapshots, states, each at its own pace.
            last = engine.ImagesSeen >= training.Images || recorder.Clock.IsUp;
            bool Due(long interval) => last || (interval > 0 && before / interval != engine.ImagesSeen / interval);
            if (Due(training.LogImages))
                recorder.WriteRow();
            recorder.Maintain(recorder.Clock.SnapshotDue || Due(training.SnapshotImages), Due(training.StateImages));
        }

        // Stopped by the user: the state is saved, nothing else is owed.
        if (recorder.SavedAt != engine.ImagesSeen)
            recorder.Save(regular: false);
    }

    private static RunFolder Open(Recipes.TrainingOptions training, string path, bool resume)
    {
        // By time, files may come after any step.
        var byTime = training.Seconds > 0 || training.SnapshotSeconds > 0 ? training.Batch : 0;
        long[] intervals = [.. new[] { training.SnapshotImages, training.StateImages, training.Images, byTime }.Where(i => i > 0)];
        var options = new RunFolderOptions { KeepStates = training.KeepStates, IntervalImages = intervals.Min() };
        return resume ? RunFolder.Resume(path, options) : RunFolder.Create(path, options);
    }
}
