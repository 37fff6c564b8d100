using System.Text;
using System.Text.Json.Nodes;
using OnnxDistill.Recipes;

namespace OnnxDistill.Training;

/// <summary>How a run ended.</summary>
/// <param name="ImagesSeen">Samples that the student's step has seen.</param>
/// <param name="Stopped">Whether the user stopped it; its state is saved.</param>
/// <param name="GeneratorPath">The newest exported model.</param>
/// <param name="Metrics">The newest metrics.</param>
public sealed record RunResult(long ImagesSeen, bool Stopped, string GeneratorPath, IReadOnlyDictionary<string, double> Metrics);

/// <summary>The loop: steps, rows of the log, snapshots, states. Straight-line, one run a call.</summary>
public static class Trainer
{
    /// <summary>Starts a run in a new folder, or goes on with the one that is there.</summary>
    /// <param name="program">What to train.</param>
    /// <param name="path">The run folder.</param>
    /// <param name="resume">Go on from the folder's newest state.</param>
    /// <param name="observer">Who watches.</param>
    /// <param name="stop">Stops after the current step, saves the state and returns.</param>
    /// <exception cref="DivergedException">Too many steps in a row had non-finite gradients.</exception>
    /// <exception cref="RecipeException">The state to resume from is damaged or belongs to another recipe.</exception>
    public static RunResult Run(TrainingProgram program, string path, bool resume, IRunObserver observer, CancellationToken stop)
    {
        var recipe = program.Recipe.Recipe;
        var training = recipe.Training;

        // Initialise: sessions and state first, so that nothing is written when something is wrong.
        using var engine = new TrainingEngine(program);
        using var snapshots = new SnapshotWriter(program, observer);
        var (folder, unfinishedRow) = Open(engine, path, resume);
        AtomicFile.Write(folder.OptionsPath, Encoding.UTF8.GetBytes(RecipeLoader.ToJson(recipe).ToJsonString(RecipeJson.Options) + "\n"));
        string[] columns = [.. RowAccumulator.Columns(program)];
        using var log = resume ? StatsLog.Resume(folder.LogPath, engine.ImagesSeen, columns) : StatsLog.Create(folder.LogPath, columns);
        using var events = EventFile.Create(folder.Path, resume ? engine.ImagesSeen : null);
        snapshots.Open(folder, resume, engine.ImagesSeen, events);
        if (!resume)
            snapshots.Write(engine);

        // Train.
        var rows = new RowAccumulator(unfinishedRow);
        var skippedInARow = 0;
        var savedAt = engine.ImagesSeen;
        while (engine.ImagesSeen < training.Images && !stop.IsCancellationRequested)
        {
            var before = engine.ImagesSeen;
            var result = engine.Step();
            rows.Add(result, program.Task.Batch);
            observer.Stepped(engine.ImagesSeen, training.Images);

            skippedInARow = result.Skipped > 0 ? skippedInARow + 1 : 0;
            if (skippedInARow >= training.MaxSkippedSteps)
            {
                throw new DivergedException($"The last {skippedInARow} steps had gradients that are not finite (step {engine.Iteration}); the run in '{folder.Path}' diverged. "
                    + "Lower the learning rate, clip gradients (training.optimizer.clipNorm), or resume from its last state with another seed.");
            }

            // Maintain: rows, snapshots, states, each at its own pace.
            var last = engine.ImagesSeen >= training.Images;
            if (last || Crosses(before, engine.ImagesSeen, training.LogImages))
                WriteRow(engine, log, events, rows, observer);
            var pause = TimeProvider.System.GetTimestamp();
            if (last || Crosses(before, engine.ImagesSeen, training.SnapshotImages))
                snapshots.Write(engine);
            if (last || Crosses(before, engine.ImagesSeen, training.StateImages))
            {
                folder.WriteState(engine.ImagesSeen, stream => TrainingState.Write(engine, stream, rows.Save()));
                savedAt = engine.ImagesSeen;
            }
            rows.Exclude(TimeProvider.System.GetElapsedTime(pause));
        }

        // Stopped by the user: the state is saved, nothing else is owed.
        var stopped = engine.ImagesSeen < training.Images;
        if (stopped && (savedAt != engine.ImagesSeen || engine.Iteration == 0))
            folder.WriteState(engine.ImagesSeen, stream => TrainingState.Write(engine, stream, rows.Save()));
        return new RunResult(engine.ImagesSeen, stopped, snapshots.GeneratorPath, snapshots.Metrics);
    }

    private static (RunFolder Folder, JsonObject? UnfinishedRow) Open(TrainingEngine engine, string path, bool resume)
    {
        var training = engine.Program.Recipe.Recipe.Training;
        long[] intervals = [.. new[] { training.SnapshotImages, training.StateImages, training.Images }.Where(i => i > 0)];
        var options = new RunFolderOptions { KeepStates = training.KeepStates, IntervalImages = intervals.Min() };
        if (!resume)
            return (RunFolder.Create(path, options), null);
        var folder = RunFolder.Resume(path, options);
        var state = folder.LatestStatePath();
        using var stream = File.OpenRead(state);
        return (folder, TrainingState.Read(engine, stream, $"'{state}'"));
    }

    private static bool Crosses(long before, long after, long interval) => interval > 0 && before / interval != after / interval;

    private static void WriteRow(TrainingEngine engine, StatsLog log, EventFile events, RowAccumulator rows, IRunObserver observer)
    {
        var (numbers, speed) = rows.Take();
        log.Append(engine.ImagesSeen, numbers);
        foreach (var (name, number) in numbers)
            events.Scalar(engine.ImagesSeen, $"train/{name}", number);
        var images = engine.Program.Recipe.Recipe.Training.Images;
        var remaining = TimeSpan.FromSeconds((images - engine.ImagesSeen) / Math.Max(speed, 1e-9));
        observer.Progress(new RunProgress(engine.ImagesSeen, images, numbers, speed, remaining));
    }
}
