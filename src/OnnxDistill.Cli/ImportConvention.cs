using System.CommandLine;
using OnnxDistill.Teachers;

namespace OnnxDistill.Cli;

/// <summary>The options of import that say what the network is.</summary>
internal sealed class ImportConvention
{
    private static readonly ImportOptions Standard = new();

    private readonly Option<string> _prediction = Choice("--prediction", "NAME", "What the network predicts", TeacherImporter.Predictions);
    private readonly Option<string> _schedule = Text("--schedule", "NAME", $"The noise that it was trained with, needed for eps, score, v and x0: {List(TeacherImporter.Schedules.SkipLast(1))}; {TeacherImporter.Schedules[^1].Summary}. "
        + "Parameters follow a colon, as in ddpm:steps=4000,beta_end=0.01 or vp:beta_min=0.1,beta_d=19.9.");
    private readonly Option<string> _time = Choice("--time", "FORM", "How it is told the time; default: as is usual for the schedule, for steps 'step' where the input takes whole numbers and 'fractional-step' where it does not",
        TeacherImporter.TimeForms);
    private readonly Option<double?> _timeScale = new("--time-scale") { HelpName = "X", Description = "What the time is multiplied with; default: 999 for t under vp and sub-vp, else 1 (flow networks of diffusers: 1000)." };
    private readonly Option<int> _labels = Number("--labels", "N", "Number of classes, without a null class.", Standard.Labels);
    private readonly Option<int> _nullLabel = Number("--null-label", "N", "The label that means no class; -1 for none. One-hot labels: the number of classes, for a row of zeros.", Standard.NullLabel);
    private readonly Option<string> _classTable = Text("--class-table", "FILE", "Class embeddings (.npy), a row a class and one for the null label, for a network that takes those instead of labels.");
    private readonly Option<double> _guidance = Number("--guidance", "S", "Classifier-free guidance to fold in, D_null + S (D_class - D_null): two evaluations; 1 for none.", Standard.Guidance);
    private readonly Option<string> _range = new("--range") { HelpName = "A..B", Description = "Range of the network's images, as in --range=0..1 or --range=0..255; 'free' for latents. The teacher's is -1..1.", DefaultValueFactory = _ => Standard.Range };
    private readonly Option<string> _channels = OneOf("--channels", "ORDER", "The network's order of color channels. The teacher's is rgb.", Standard.Channels, "rgb", "bgr");
    private readonly Option<string> _layout = OneOf("--layout", "ORDER", "The network's order of axes. The teacher's is nchw.", Standard.Layout, "nchw", "nhwc");
    private readonly Option<string[]> _constants = new("--constant")
    {
        HelpName = "NAME=VALUE",
        Description = "What a further input is always fed: a number, or an .npy file. Once for each. Inputs named like augment_labels get zeros unasked.",
    };
    private readonly Option<string> _sample = Text("--sample-input", "NAME", "Name of the noisy-sample input; guessed when left out.");
    private readonly Option<string> _timeInput = Text("--time-input", "NAME", "Name of the time input; guessed when left out.");
    private readonly Option<string> _label = Text("--label-input", "NAME", "Name of the label input; guessed when left out.");
    private readonly Option<string> _output = Text("--output-tensor", "NAME", "Name of the output; needed where several have the sample's shape. Of twice as many channels the first half is taken.");
    private readonly Option<double> _sigmaData = Number("--sigma-data", "X", "Standard deviation of the data, images in -1..1.", Standard.SigmaData);
    private readonly Option<double?> _sigmaMin = new("--sigma-min") { HelpName = "X", Description = "Smallest noise level, in units of the data; default: the schedule's." };
    private readonly Option<double?> _sigmaMax = new("--sigma-max") { HelpName = "X", Description = "Largest noise level, in units of the data; default: the schedule's." };
    private readonly Option<bool> _unchecked = new("--no-denoise-check") { Description = "Take the network on trust: it does not have to denoise, as one with random weights does not. The card tells." };
    private readonly Option<string> _licence = new("--licence") { HelpName = "TEXT", Description = "Licence, as the source states it.", DefaultValueFactory = _ => Standard.Licence };
    private readonly Option<string> _source = Text("--source", "TEXT", "Where the network came from; default: the file's name.");

    public ImportConvention() => _prediction.Required = true;

    /// <summary>All of them, in the order of the help.</summary>
    public IEnumerable<Symbol> Symbols => [_prediction, _schedule, _time, _timeScale, _labels, _nullLabel, _classTable, _guidance, _range, _channels, _layout, _constants, _sample, _timeInput, _label,
        _output, _sigmaData, _sigmaMin, _sigmaMax, _unchecked, _licence, _source];

    /// <summary>What a command line says.</summary>
    public ImportOptions Read(ParseResult parsed) => new()
    {
        Prediction = parsed.GetValue(_prediction)!,
        Schedule = parsed.GetValue(_schedule) ?? "",
        Time = parsed.GetValue(_time) ?? "",
        TimeScale = parsed.GetValue(_timeScale),
        Labels = parsed.GetValue(_labels),
        NullLabel = parsed.GetValue(_nullLabel),
        ClassTable = parsed.GetValue(_classTable) ?? "",
        Guidance = parsed.GetValue(_guidance),
        Range = parsed.GetValue(_range)!,
        Channels = parsed.GetValue(_channels)!,
        Layout = parsed.GetValue(_layout)!,
        Constants = (parsed.GetValue(_constants) ?? []).Select(static text => text.Split('=', 2) is [{ Length: > 0 } name, { Length: > 0 } value] ? (name, value)
            : throw new UsageException($"--constant: found '{text}', expected NAME=NUMBER or NAME=FILE.npy.")).DistinctBy(static c => c.name).ToDictionary(static c => c.name, static c => c.value),
        SampleInput = parsed.GetValue(_sample) ?? "",
        TimeInput = parsed.GetValue(_timeInput) ?? "",
        LabelInput = parsed.GetValue(_label) ?? "",
        Output = parsed.GetValue(_output) ?? "",
        SigmaData = parsed.GetValue(_sigmaData),
        SigmaMin = parsed.GetValue(_sigmaMin),
        SigmaMax = parsed.GetValue(_sigmaMax),
        ChecksDenoising = !parsed.GetValue(_unchecked),
        Licence = parsed.GetValue(_licence)!,
        Source = parsed.GetValue(_source) ?? "",
    };

    private static string List(IEnumerable<NamedChoice> choices) => string.Join("; ", choices.Select(static c => $"{c.Name} = {c.Summary}"));

    private static Option<string> Choice(string name, string help, string what, IReadOnlyList<NamedChoice> choices)
    {
        var option = Text(name, help, $"{what}: {List(choices)}.");
        option.AcceptOnlyFromAmong([.. choices.Select(static c => c.Name)]);
        return option;
    }

    private static Option<string> OneOf(string name, string help, string what, string usual, params string[] choices)
    {
        var option = new Option<string>(name) { HelpName = help, Description = $"{what} One of {string.Join(", ", choices)}.", DefaultValueFactory = _ => usual };
        option.AcceptOnlyFromAmong(choices);
        return option;
    }

    private static Option<string> Text(string name, string help, string what) => new(name) { HelpName = help, Description = what };

    private static Option<T> Number<T>(string name, string help, string what, T usual) => new(name) { HelpName = help, Description = what, DefaultValueFactory = _ => usual };
}
