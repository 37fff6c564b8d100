using OnnxDistill.Runtime.Parallel;

// mpirun gives its processes a terminal of its own, to which .NET's console would send control sequences: they would end up in front of --json.
if (RankEnvironment.Count > 1)
    Environment.SetEnvironmentVariable("TERM", "dumb");
return OnnxDistill.Cli.CommandApp.Run(args, Console.Out, Console.Error);
