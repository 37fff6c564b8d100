using System.Collections.Concurrent;

namespace OnnxDistill.Bench.Experiments;

/// <summary>Runs what is not finished, each in a process of its own, so many at a time.</summary>
internal sealed class RunQueue(CompareCommand command, Experiment experiment)
{
    // A comparison is of work done on one core; more at a time is the queue's business.
    private static readonly string[] OneThread = ["training.threads=1", "training.lanes=1"];

    /// <summary>Runs all.</summary>
    /// <returns>How many failed or were stopped; their own messages went to standard error.</returns>
    public int RunAll()
    {
        var failed = 0;
        var waiting = experiment.Runs.Where(r => r.Title.Contains(command.Only, StringComparison.OrdinalIgnoreCase)).ToList();
        // In the list's order.
        Parallel.ForEach(Partitioner.Create(waiting, EnumerablePartitionerOptions.NoBuffering), new ParallelOptions { MaxDegreeOfParallelism = command.SideBySide }, run =>
        {
            if (!RunOne(run))
                Interlocked.Increment(ref failed);
        });
        return failed;
    }

    private bool RunOne(ExperimentRun run)
    {
        var folder = Path.Combine(command.Folder, run.Folder);
        string[] settings = [.. OneThread, .. experiment.Settings, .. run.Settings];
        var recipe = Path.GetFullPath(run.Recipe, Path.GetDirectoryName(Path.GetFullPath(command.List))!);
        if (RunOutcome.Read(folder) is { } finished)
        {
            var same = finished.Settings.SequenceEqual(settings) && finished.RecipeText == File.ReadAllText(recipe);
            Console.Error.WriteLine($"{run.Title}: {(same ? "finished before" : $"finished before with another recipe or other settings; remove '{folder}' to run it anew")}");
            return same;
        }
        Console.Error.WriteLine($"{run.Title}: {(Directory.Exists(folder) ? "goes on" : "begins")}");
        Directory.CreateDirectory(command.Folder);
        using var process = ChildProcess.Start(takesInput: false, [CompareCommand.ChildWord, recipe, folder, .. settings]);
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Console.Error.WriteLine($"{run.Title}: {(process.ExitCode == 0 ? "finished" : $"ended with the code {process.ExitCode}")}");
        return process.ExitCode == 0;
    }
}
