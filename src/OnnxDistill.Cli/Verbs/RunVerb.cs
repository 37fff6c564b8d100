using System.CommandLine;
using System.Globalization;
using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Diagnosis;
using OnnxDistill.Training;
using OnnxDistill.Verification;

namespace OnnxDistill.Cli.Verbs;

/// <summary>What distill and train share: recipe, run folder, resume, dry run, Ctrl+C.</summary>
internal static class RunVerb
{
    public static Command Create(string name, string description, Func<string, bool> accepts)
    {
        var recipe = new Argument<string>("RECIPE") { Description = "Recipe file (JSON, comments allowed)." };
        var output = new Option<string>("--output", "-o") { HelpName = "FOLDER", Description = "Run folder. [default: runs/<folder>-<recipe>]" };
        var set = SetOption();
        var device = DeviceOption();
        var dryRun = new Option<bool>("--dry-run") { Description = "Print the resolved recipe and the sizes of all graphs, then end; nothing is written." };
        var resume = new Option<string>("--resume") { HelpName = "RUN", Description = "Go on with the run in that folder, from its newest state, bit for bit." };
        var profile = new Option<int?>("--profile")
        {
            HelpName = "ITERATIONS",
            Description = "Run that many iterations (10 when no number follows), print the ten dearest operators and nodes of each phase, then end; nothing is written.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        profile.Validators.Add(static result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, CultureInfo.InvariantCulture, out var count) && count is > 0 and <= 100_000))
                result.AddError($"--profile: found {token.Value}, expected 1 to 100000 iterations.");
        });
        var exact = new Option<bool>("--exact")
        {
            Description = "With --resume: end with exit code 3 where versions, device, processor or threads are others than the state was made with, instead of going on with a warning.",
        };
        var strict = new Option<bool>("--strict") { Description = "Images of the recipe's data that cannot be read end the run (exit code 3), instead of being listed and left out." };
        return Verb.CreateShared(name, description, [recipe, output, set, device, dryRun, profile, resume, exact, strict], (parsed, report, ranks, stop) =>
        {
            var path = parsed.GetValue(recipe)!;
            if (parsed.GetValue(resume) is not null && parsed.GetValue(output) is not null)
                throw new UsageException("--output beside --resume: a run goes on in the folder that --resume names. Leave one of them out.");
            if (parsed.GetValue(exact) && parsed.GetValue(resume) is null)
                throw new UsageException("--exact without --resume: there is no state that a new run could differ from. Leave it out.");
            var assignments = new List<string>(parsed.GetValue(set)!);
            if (parsed.GetValue(device) is { } where)
                assignments.Add($"training.device={where}");
            if (parsed.GetValue(strict))
                assignments.Add("data.strict=true");
            var loaded = RecipeLoader.Load(path, assignments);
            if (!accepts(loaded.Method.Name))
                throw new UsageException($"'{path}' has the method '{loaded.Method.Name}', which the verb '{name}' does not run; '{(name == "train" ? "distill" : "train")}' does.");
            ShareableDevice.Require(loaded.Recipe.Training.Device, ranks);
            var folder = parsed.GetValue(resume) ?? parsed.GetValue(output) ?? DefaultFolder(path, loaded.Name);
            if (parsed.GetValue(dryRun))
                return Describe(TrainingProgram.Build(loaded, ranks), folder, report);
            if (parsed.GetResult(profile) is not null)
            {
                ProfileTables.Print(TrainingProfile.Measure(TrainingProgram.Build(loaded, ranks), parsed.GetValue(profile) ?? 10), report);
                return ExitCodes.Done;
            }
            OpenSsl.Require();
            if (ranks.Rank == 0)
            {
                if (File.Exists(folder))
                    throw new UsageException($"'{folder}' is a file; name a folder for the run.");
                OutputFile.RequireFolder(folder);
            }
            var program = TrainingProgram.Build(loaded, ranks);
            Announce(program, folder, report);
            var result = RunTerminal.Watch(report, observer => Trainer.Run(program, folder, parsed.GetValue(resume) is not null, observer, stop, parsed.GetValue(exact), ranks));
            return Finish(result, path, folder, name, parsed.GetValue(set)!, report);
        });
    }

    /// <summary>The option that overrides a recipe's settings.</summary>
    public static Option<string[]> SetOption() => new("--set")
    {
        HelpName = "KEY=VALUE",
        Description = "Override a setting, --set training.batch=64; lists as JSON, --set network.hidden=[64,64]. May be repeated.",
        DefaultValueFactory = _ => [],
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    };

    /// <summary>The option that names the device.</summary>
    public static Option<string?> DeviceOption() => new("--device") { HelpName = "DEVICE", Description = "Where the graphs run: cpu or cuda:0. [default: cpu]" };

    private static string DefaultFolder(string recipe, string name) =>
        Path.Combine("runs", $"{Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(recipe)))}-{name}");

    private static void Announce(TrainingProgram program, string folder, Report report)
    {
        var training = program.Recipe.Recipe.Training;
        report.Line(string.Create(CultureInfo.InvariantCulture,
            $"{program.Recipe.Method.Name} ({program.Recipe.Method.Paper}), {training.Images:N0} samples in batches of {training.Batch}{(program.Parts.Ranks > 1 ? $" on {program.Parts.Ranks} ranks" : "")}, into {folder}"));
    }

    private static int Describe(TrainingProgram program, string folder, Report report)
    {
        report.Set("folder", folder);
        report.Set("recipe", program.Recipe.Recipe);
        report.Set("graphs", program.Graphs.Select(g => new { name = g.Phase.Name, nodes = g.Model.Graph.Nodes.Count, inputs = g.Model.Graph.Inputs.Count, footprint = Footprint(g) }));
        report.Set("networks", program.Networks.Select(n => new { role = n.Role, parameters = n.Network.ParameterCount, gigaflops = GigaflopsPerSample(n) }));
        report.Line(RecipeLoader.ToJson(program.Recipe.Recipe).ToJsonString(RecipeJson.Options));
        foreach (var network in program.Networks)
        {
            report.Line(string.Create(CultureInfo.InvariantCulture, $"network {network.Role}: {network.Network.ParameterCount:N0} parameters in {network.Network.Parameters.Count} tensors, "
                + $"{GigaflopsPerSample(network):G3} GFLOP a sample and pass (products and convolutions)"));
        }
        foreach (var graph in program.Graphs)
        {
            report.Line(string.Create(CultureInfo.InvariantCulture, $"graph {graph.Phase.Name}: {graph.Model.Graph.Nodes.Count:N0} nodes, trains {string.Join(", ", graph.Phase.Trains)}"));
            report.Line($"  {Footprint(graph)}");
        }
        DescribeMemory(program, report);
        PlacementLines.Add(program, report);
        report.Line($"run folder: {folder} (dry run: nothing was written)");
        return ExitCodes.Done;
    }

    private static void DescribeMemory(TrainingProgram program, Report report)
    {
        var estimate = MemoryEstimate.Of(program);
        report.Set("memory", new
        {
            total = estimate.Total,
            parts = estimate.Items,
            recomputation = estimate.Recomputation,
        });
        report.Table([new("expected at the peak"), new("MB", IsNumber: true)],
            estimate.Items.Append(new MemoryItem("in all", estimate.Total)).Select(i => new[] { i.What, Megabytes(i.Bytes) }));
        foreach (var (phase, found) in estimate.Recomputation)
        {
            report.Line(string.Create(CultureInfo.InvariantCulture,
                $"graph {phase}: intermediate results {Megabytes(found.FullBytes)} MB, with {found.Nodes:N0} nodes computed twice {Megabytes(found.Bytes)} MB; about {found.ExtraWork:P0} more work"));
        }
    }

    // A network's template has the batch that its first input has.
    private static double GigaflopsPerSample(TrainedNetwork network)
    {
        var graph = network.Network.Model.Graph;
        return MatrixWork.Flops(graph) / graph.Inputs[0].Shape[0].Size / 1e9;
    }

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("N0", CultureInfo.InvariantCulture);

    private static GradientFootprint Footprint(TrainingGraph graph) =>
        GradientFootprint.Of(graph.Model.Graph, [graph.Model.Graph.Output(TrainingGraph.LossOutput)]);

    private static int Finish(RunResult result, string recipe, string folder, string verb, string[] set, Report report)
    {
        report.Set("folder", folder);
        report.Set("imagesSeen", result.ImagesSeen);
        report.Set("stopped", result.Stopped);
        report.Set("generator", result.GeneratorPath);
        report.Set("metrics", result.Metrics);
        report.Set("peakMemory", PeakMemory.Bytes());
        report.Set("warnings", result.Warnings);
        report.Set("rollbacks", result.Rollbacks);
        report.Set("skippedUpdates", result.SkippedUpdates);
        report.Set("nonFiniteLosses", result.NonFiniteLosses);
        report.Set("replacedNumbers", result.ReplacedNumbers);
        if (result.SkippedUpdates + result.NonFiniteLosses + result.ReplacedNumbers > 0)
        {
            report.Line(string.Create(CultureInfo.InvariantCulture, $"\nNot finite over the whole run: {result.NonFiniteLosses:N0} losses; {result.SkippedUpdates:N0} updates were left out, "
                + $"{result.ReplacedNumbers:N0} numbers of gradients replaced, {result.Rollbacks} times the run went back (incidents.csv)."));
        }
        if (result.Stopped)
        {
            // Without the same settings the state would be another recipe's.
            var settings = string.Concat(set.Select(static s => $" --set {(s.Contains(' ', StringComparison.Ordinal) ? $"'{s}'" : s)}"));
            report.Line(string.Create(CultureInfo.InvariantCulture, $"\nStopped after {result.ImagesSeen:N0} samples; the state is saved. Go on with:\n  onnxdistill {verb} {recipe}{settings} --resume {folder}"));
            return ExitCodes.Stopped;
        }
        report.Line($"\nDone: {result.GeneratorPath}");
        report.Line($"Peak memory: {Megabytes(PeakMemory.Bytes())} MB");
        return ExitCodes.Done;
    }
}
