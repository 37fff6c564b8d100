using System.Globalization;
using OnnxDistill.Bench;
using OnnxDistill.Recipes;
using OnnxDistill.Training;

const string usage = """
    OnnxDistill.Bench [--write] [--rounds N] [--seconds S]     compare with libtorch, print a page of Markdown; --write keeps it
    OnnxDistill.Bench --check                                  only the numeric cross-check
    OnnxDistill.Bench --self [--iterations N] [--recipe FILE [KEY=VALUE ...]]   where OnnxDistill's own time goes, for any recipe
    """;

try
{
    switch (args)
    {
        case ["worker", var side, .. var settings]:
            return Worker.Serve(side, settings);
        case ["--self", ..]:
            SelfProfile.Run(Program(), (int)Number("--iterations", 50));
            return 0;
        case ["--check"]:
            var only = CrossCheck.Run();
            Console.WriteLine(FormattableString.Invariant($"losses {only.Losses:E1}, parameters {only.Weights:E1}, updates {only.Updates:E1}"));
            return 0;
        default:
            if (args.Where((a, i) => a is not ("--write" or "--rounds" or "--seconds") && (i == 0 || args[i - 1] is not ("--rounds" or "--seconds"))).Any())
            {
                Console.Error.WriteLine(usage);
                return 2;
            }
            Compare();
            return 0;
    }
}
catch (InvalidOperationException error)
{
    Console.Error.WriteLine(error.Message);
    return 5;
}

void Compare()
{
    var seconds = Number("--seconds", 4);
    var check = CrossCheck.Run();
    var peak = MatrixPeak.Measure();
    var comparison = Comparison.Run((int)Number("--rounds", 10), seconds);
    var page = Report.Write(check, comparison, Workload.FlopsPerIteration(Workload.Load()) / 1e9, peak, seconds);
    Console.WriteLine(page);
    if (!args.Contains("--write"))
        return;
    var folder = Path.Combine(Workload.Root(), "tools", "OnnxDistill.Bench", "results", Machine.Name());
    Directory.CreateDirectory(folder);
    File.WriteAllText(Path.Combine(folder, "diff-instruct-forty.md"), page);
}

TrainingProgram Program()
{
    var at = Array.IndexOf(args, "--recipe");
    return at < 0 ? Workload.Load() : TrainingProgram.Build(RecipeLoader.Load(args[at + 1], args[(at + 2)..]));
}

double Number(string option, double otherwise)
{
    var at = Array.IndexOf(args, option);
    return at < 0 || at + 1 >= args.Length ? otherwise : double.Parse(args[at + 1], CultureInfo.InvariantCulture);
}
