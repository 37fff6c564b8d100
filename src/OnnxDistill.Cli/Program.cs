using System.CommandLine;
using OnnxDistill.Cli;
using OnnxDistill.Cli.Verbs;

// Every verb, one line a verb, in the order in which people meet them.
var root = new RootCommand("Distil a diffusion teacher's ONNX graph into a one-step generator that any app runs.")
{
    InspectVerb.Create(),
    ImportVerb.Create(),
    MixtureVerb.Create(),
    TrainVerb.Create(),
    DistillVerb.Create(),
    ArtifactsVerb.Create(),
    SampleVerb.Create(),
    EvaluateVerb.Create(),
    ExportVerb.Create(),
    GradCheckVerb.Create(),
    DoctorVerb.Create(),
};
// Signals are StopSignals' business: the library's own handling ends the process two seconds after Ctrl+C, state saved or not.
var parsed = root.Parse(args);
var code = parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
return parsed.Errors.Count > 0 ? ExitCodes.WrongUsage : code;
