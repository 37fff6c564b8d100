using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Teachers.Conventions;

namespace OnnxDistill.Teachers.Importing;

/// <summary>Puts everything between D(x; sigma) and a raw network into one graph: range and axes, noise schedule, time, labels, further inputs, guidance, and the
/// prediction's formula.</summary>
internal sealed class TeacherWrapper
{
    private readonly RawNetwork _raw;
    private readonly ImportOptions _options;
    private readonly DataRange _range;
    private readonly Value _sample, _time, _output;
    private readonly LabelInput? _labels;
    private readonly string? _labelName;
    private readonly IReadOnlyDictionary<string, string> _constants;
    private readonly Shape _shape;

    /// <summary>A wrapper after those options.</summary>
    /// <exception cref="TeacherMismatchException">The options do not fit the network.</exception>
    public TeacherWrapper(RawNetwork raw, ImportOptions options)
    {
        (_raw, _options, _range) = (raw, options, DataRange.Parse(options));
        var roles = InputRoles.Guess(raw.Graph, options);
        if (roles.Sample is null || roles.Time is null)
        {
            throw new TeacherMismatchException($"'{raw.File}' has the inputs {string.Join("; ", raw.Source.Graph.Inputs)}: no sample and time could be told apart. "
                + "Name them with --sample-input and --time-input.");
        }
        (_sample, _time) = (roles.Sample, roles.Time);
        if (roles.Label is not null != options.Labels > 0)
        {
            throw new TeacherMismatchException(roles.Label is null
                ? $"'{raw.File}' has no input for labels, but {options.Labels} labels were told. An integer [N], a one-hot row [N, {options.Labels}], or an embedding with --class-table would be one."
                : $"'{raw.File}' takes labels as '{roles.Label.Name}'. Tell how many classes there are with --labels, or feed it one value with --constant {roles.Label.Name}=...");
        }
        _constants = ConstantInputs.Resolve(raw.Graph, roles, options, raw.File);
        _output = roles.Output ?? throw new TeacherMismatchException(
            $"'{raw.File}' has {raw.Graph.Outputs.Count} outputs: {string.Join("; ", raw.Graph.Outputs)}. Name the prediction with --output-tensor.");
        _labels = roles.Label is null ? null : new LabelInput(roles.Label, options, raw.File);
        _labelName = roles.Label?.Name;
        if (options.Guidance != 1 && (roles.Label is null || options.NullLabel < 0))
            throw new TeacherMismatchException($"--guidance {options.Guidance} mixes the answers with and without a class: it needs --labels and --null-label.");
        _shape = _range.ShapeOf(new Shape([Dim.Named("N"), .. _sample.Shape.Skip(1)]), $"'{raw.File}'");
        TimeInput.Widen(raw.Graph, _time, raw.File);
        Convention = TeacherConvention.Resolve(options, TimeInput.IsWhole(raw.Graph, _time), _range.Half);
        Roles = roles;
    }

    /// <summary>Prediction, schedule and time.</summary>
    public TeacherConvention Convention { get; }

    /// <summary>What the inputs are.</summary>
    public InputRoles Roles { get; }

    /// <summary>What was decided, for people: a line each.</summary>
    public IEnumerable<string> Describe()
    {
        yield return $"sample '{_sample.Name}', time '{_time.Name}' told as {Convention.TimeText}, output '{_output.Name}'{(IsDouble ? $" (first {_shape[1]} of {2 * _shape[1].Size} channels)" : "")}";
        if (_labels is not null)
            yield return $"label '{_labelName}' as {_labels.Form}";
        foreach (var (name, text) in _constants)
            yield return $"constant '{name}' = {text}{(_options.Constants.ContainsKey(name) ? "" : " (guessed: zeros mean no augmentation)")}";
    }

    // A network that learns its variance too has the mean in the first half of its channels (Nichol and Dhariwal 2021, arXiv 2102.09672).
    private bool IsDouble => _output.KnownShape is { Rank: >= 2 } shape && shape.Rank == _shape.Rank && shape[Channel] is { IsKnown: true } channels && _shape[1].IsKnown
        && channels.Size == 2 * _shape[1].Size;

    private int Channel => _range.IsChannelsLast ? 3 : 1;

    /// <summary>The teacher.</summary>
    public Denoiser Wrap()
    {
        var b = new GraphBuilder("teacher");
        var x = b.Input(Denoiser.X, ElementType.Float32, _shape);
        var sigma = b.Input(Denoiser.Sigma, ElementType.Float32, Shape.Of(_shape[0]));
        var label = _labels is null ? null : b.Input(Denoiser.Label, ElementType.Int64, Shape.Of(_shape[0]));
        // Weights keep their names: people and checkpoints know them by these.
        var weights = _raw.Graph.Initializers.ToDictionary(i => i.Name, i => b.Initializer(i.Name, i.Constant!), StringComparer.Ordinal);

        var y = _range.ToNetwork(b, x);
        var level = Convention.LevelAt(b, _range.LevelToNetwork(b, sigma));
        var state = _range.AxesToNetwork(b, Convention.StateScale(b, level) is { } scale ? b.Mul(y, b.PerSample(scale, _shape.Rank)) : y);
        var output = Guided(b, label, classes => Network(b, weights, state, level, classes, sigma));
        var frame = new PredictionFrame(b, y, level, output, Convention.SigmaData);
        b.Output(Denoiser.Denoised, _range.FromNetwork(b, Convention.Prediction.Denoise(frame)));

        var model = new OnnxModel(b.Graph) { Description = $"D(x; sigma) of {_raw.File}" };
        Card().WriteTo(model);
        return new Denoiser(model, $"'{_raw.File}'");
    }

    // Ho and Salimans 2022 (arXiv 2207.12598). Every prediction's D is affine in the network's output, so mixing outputs mixes the D.
    private Value Guided(GraphBuilder b, Value? label, Func<Value?, Value> network)
    {
        var output = network(label);
        if (_options.Guidance == 1)
            return output;
        var none = network(b.Add(b.Mul(label!, Whole(b, 0)), Whole(b, _options.NullLabel))); // guidance without labels was refused
        return b.Add(none, b.Mul(b.Sub(output, none), _options.Guidance));
    }

    private static Value Whole(GraphBuilder b, long number) => b.Constant(TensorData.Of([number], []));

    private Value Network(GraphBuilder b, IReadOnlyDictionary<string, Value> weights, Value state, NoiseLevel level, Value? label, Value sigma)
    {
        var bound = new Dictionary<string, Value>(weights, StringComparer.Ordinal)
        {
            [_sample.Name] = state,
            [_time.Name] = TimeInput.Encode(b, level.Time, _time),
        };
        if (_labels is not null)
            bound[_labelName!] = _labels.Encode(b, label!); // both are there for a conditional network
        foreach (var (name, text) in _constants)
            bound[name] = ConstantInputs.Emit(b, _raw.Graph.Input(name), text, sigma);
        var output = b.Inline(_raw.Graph, "network", bound)[_raw.Graph.Outputs.IndexOf(_output)];
        var own = state.Shape;
        output.KnownShape = IsDouble ? own.With(Channel, 2 * own[Channel].Size) : own;
        if (_output.KnownShape is { } told && !Fits(told, output.Shape))
            throw new TeacherMismatchException($"'{_raw.File}' predicts {_output}, expected the sample's shape {own}, or twice its channels. Another output is named with --output-tensor.");
        return _range.AxesFromNetwork(b, IsDouble ? b.Slice(output, Channel, 0, own[Channel].Size) : output);
    }

    private static bool Fits(Shape told, Shape expected) => told.Rank == expected.Rank
        && told.Skip(1).Zip(expected.Skip(1)).All(static p => !p.First.IsKnown || !p.Second.IsKnown || p.First.Size == p.Second.Size);

    private TeacherCard Card()
    {
        var (low, high) = Convention.Schedule.SigmaRange;
        return new TeacherCard
        {
            Prediction = Convention.Prediction.Name,
            Schedule = Convention.ScheduleText,
            Time = Convention.TimeText,
            Levels = Convention.Time.IsWhole ? new NoiseLevels(((TableSchedule)Convention.Schedule).Sigmas.Select(s => s / _range.Half)) : null,
            SigmaData = _options.SigmaData,
            SigmaMin = _options.SigmaMin ?? low / _range.Half,
            SigmaMax = _options.SigmaMax ?? high / _range.Half,
            Labels = _options.Labels,
            NullLabel = _options.NullLabel,
            Guidance = _options.Guidance,
            Data = _shape.Rank == 4 ? "image" : "points",
            Shape = string.Join('x', _shape.Skip(1)),
            Range = _options.Range,
            Channels = _options.Channels,
            IsUnchecked = !_options.ChecksDenoising,
            Licence = _options.Licence,
            Source = _options.Source.Length > 0 ? _options.Source : _raw.File,
        };
    }
}
