using OnnxDistill;
using OnnxDistill.Bench;
using OnnxDistill.Bench.Experiments;
using OnnxDistill.Graph;
using OnnxDistill.Recipes;
using OnnxDistill.Training;

const string usage = """
    OnnxDistill.Bench [--workload NAME] [--write] [--rounds N] [--seconds S]   compare with libtorch, print pages of Markdown; --write keeps them
    OnnxDistill.Bench --check [--workload NAME]                                only the numeric cross-check
    OnnxDistill.Bench --export FOLDER                                          weights and a reference for tools/bench_torch.py
    OnnxDistill.Bench --self [--iterations N] [--workload NAME | --recipe FILE [KEY=VALUE ...]]   where OnnxDistill's own time goes
    OnnxDistill.Bench compare LIST ...                                         methods against each other; 'compare' alone tells more
    Without --workload: all of them.
    """;

if (args is [CompareCommand.Word or CompareCommand.ChildWord, ..])
    return RunExperiment();

if (args is ["worker", var side, var name, .. var settings])
    return Worker.Serve(side, name, settings);

CommandLine line;
try
{
    line = CommandLine.Parse(args);
}
catch (FormatException error)
{
    Console.Error.WriteLine($"{error.Message}\n{usage}\nWorkloads: {string.Join(", ", WorkloadList.All.Select(w => w.Name))}");
    return 2;
}

var scratch = Directory.CreateTempSubdirectory("onnxdistill-bench-");
try
{
    if (line.Self)
        SelfProfile.Run(Program(), line.Iterations);
    else if (line.Export.Length > 0)
        WeightExport.Write(line.Export, scratch.FullName);
    else
        line.Workloads.ForEach(Compare);
    return 0;
}
catch (InvalidOperationException error)
{
    Console.Error.WriteLine(error.Message);
    return 5;
}
finally
{
    scratch.Delete(recursive: true);
}

int RunExperiment()
{
    try
    {
        return args is [CompareCommand.ChildWord, var recipe, var folder, .. var over] ? RunOutcome.Make(recipe, folder, over) : CompareCommand.Run(args[1..]);
    }
    catch (FormatException error)
    {
        Console.Error.WriteLine($"{error.Message}\n{CompareCommand.Usage}");
        return 2;
    }
    catch (Exception error) when (error is RecipeException or RunFolderException or DivergedException or ModelFileException or InvalidOperationException)
    {
        Console.Error.WriteLine(error.Message);
        return 5;
    }
}

void Compare(IWorkload workload)
{
    if (workload.Subject.Missing is { } reason)
    {
        Console.Error.WriteLine($"{workload.Name} is left out: {reason}.");
        return;
    }
    var prepared = workload.Subject.Prepare(scratch.FullName);
    if (line.Check)
    {
        Console.WriteLine($"{workload.Name}: {workload.Check(settings => Setup.Load(workload.Subject, [.. prepared, .. settings]))}");
        return;
    }
    // In a process of its own: both sides' memory is given back before anything is timed.
    var check = ChildProcess.Output("--check", "--workload", workload.Name).Split(": ", 2)[^1].Trim();
    Console.Error.WriteLine($"{workload.Name}: both sides compute the same ({check})");
    var setup = Setup.Load(workload.Subject, prepared);
    var peak = MatrixPeak.Measure();
    var comparison = Comparison.Run(workload, prepared, line.Rounds, line.Seconds);
    var page = Report.Write(workload, setup, check, comparison, workload.Flops(setup) / 1e9, peak, line.Seconds);
    Console.WriteLine(page);
    if (!line.Write)
        return;
    var folder = Path.Combine(Checkout.Root(), "tools", "OnnxDistill.Bench", "results", Machine.Name());
    Directory.CreateDirectory(folder);
    File.WriteAllText(Path.Combine(folder, $"{workload.Name}.md"), page);
}

TrainingProgram Program()
{
    if (line.Recipe is [var file, .. var assignments])
        return TrainingProgram.Build(RecipeLoader.Load(file, assignments));
    var subject = line.Workloads[0].Subject;
    return TrainingProgram.Build(Setup.Load(subject, subject.Prepare(scratch.FullName)).Recipe);
}
