return OnnxDistill.Cli.CommandApp.Run(args, Console.Out, Console.Error);
