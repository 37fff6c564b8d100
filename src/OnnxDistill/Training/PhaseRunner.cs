using OnnxDistill.Data.Images;
using OnnxDistill.Data.Pairs;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Noise;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Training;

/// <summary>
/// Runs one phase's training graph on a lane's parts of the batch: fills its random inputs and images by counter, reads weights and writes gradients
/// where they lie. Owns its session.
/// </summary>
internal sealed class PhaseRunner : IDisposable
{
    private readonly TrainingGraph _graph;
    private readonly GraphSession _session;
    private readonly IReadOnlyDictionary<string, NetworkState> _states;
    private readonly List<(Feed Feed, StagedBuffer Buffer, NoiseStream Stream)> _feeds = [];
    private readonly Dictionary<long, SessionBinding> _bindings = [];
    private readonly List<(CarriedValue Value, TensorBuffer[] Buffers)> _carried = [];
    private readonly StagedBuffer _loss;
    private readonly StagedBuffer? _lossScale;
    private readonly ImageBatches? _images;
    private readonly Lazy<PairBatches> _pairs;
    private readonly BatchParts _parts;
    private readonly int _lane;

    public PhaseRunner(TrainingGraph graph, IReadOnlyDictionary<string, NetworkState> states, long seed, DeviceOptions device, BatchParts parts, int lane,
        Func<string, ImageBatches>? images = null, Func<string, PairBatches>? pairs = null)
    {
        (_graph, _states, _parts, _lane) = (graph, states, parts, lane);
        // Pairs may be drawn only after the sessions are there.
        _pairs = new Lazy<PairBatches>(() => pairs!($"{graph.Phase.Name}/pairs"));
        _session = GraphSession.Create(graph.Model, device, $"the {graph.Phase.Name} graph");
        // Buffers come after the session: it is what can fail, and nobody could dispose of a half-made runner.
        var memory = states.Values.First().Memory;
        _loss = new StagedBuffer(ElementType.Float32, 1, memory);
        _lossScale = graph.IsScaled ? new StagedBuffer(ElementType.Float32, 1, memory) : null;
        foreach (var feed in graph.Feeds)
        {
            var buffer = new StagedBuffer(feed.Type, feed.Dims.Aggregate(1L, static (n, d) => n * d), memory);
            _feeds.Add((feed, buffer, new NoiseStream(seed, StreamOf(graph.Phase, feed))));
        }
        foreach (var value in graph.Carried)
            _carried.Add((value, [Carried(value, memory), Carried(value, memory)]));
        if (graph.Feeds.Any(f => f.Kind == FeedKind.Image))
            _images = images!($"{graph.Phase.Name}/real");
    }

    public TrainingGraph Graph => _graph;

    /// <summary>What the next update finds of what is carried, by name.</summary>
    public IEnumerable<(string Name, TensorBuffer Buffer)> CarriedVectors => _carried.Select(c => (c.Value.Name, c.Buffers[CarriedParity]));

    // Which of each pair the next update reads.
    private int CarriedParity { get; set; }

    private static TensorBuffer Carried(CarriedValue value, DeviceMemory? memory)
    {
        var buffer = memory?.Allocate(value.Initial.Type, value.Initial.ElementCount) ?? new TensorBuffer(value.Initial.Type, value.Initial.ElementCount);
        buffer.CopyFrom<float>(value.Initial.As<float>());
        return buffer;
    }

    /// <summary>The random stream of a feed: named, so that phases and inputs are independent of each other and of their order.</summary>
    public static StreamId StreamOf(TrainingPhase phase, Feed feed) => StreamId.Named($"{phase.Name}/{feed.Name}");

    /// <summary>Runs update number <paramref name="update"/> (counted over the whole run, from 0) on the part of that round and returns the loss.</summary>
    public float Run(long update, long imagesSeen, int round, double lossScale)
    {
        var part = _parts.Index(round, _lane);
        var real = _images?.Take(update, part, round + 1 < _parts.Rounds ? (update, _parts.Index(round + 1, _lane)) : (update + 1, _parts.Index(0, _lane)));
        foreach (var (feed, buffer, stream) in _feeds)
        {
            if (feed.Kind == FeedKind.Image)
                real!.Value.Pixels.CopyTo(buffer.OnHost.Span<float>());
            else if (feed.Kind == FeedKind.ImageLabel)
                real!.Value.Labels.CopyTo(buffer.OnHost.Span<long>());
            else if (feed.Ramp is { } ramp)
                buffer.OnHost.Span<float>()[0] = (float)ramp.At(imagesSeen);
            else
                Fill(feed, buffer.OnHost, stream, update, part);
            buffer.Upload();
        }
        if (_lossScale is not null)
        {
            _lossScale.OnHost.Span<float>()[0] = (float)lossScale;
            _lossScale.Upload();
        }
        Binding().Run();
        _loss.Download();
        var loss = _loss.OnHost.Span<float>()[0];
        // What a step that is not finite would carry on is no better than its gradient.
        if (_carried.Count > 0 && float.IsFinite(loss))
            CarriedParity = 1 - CarriedParity;
        return loss;
    }

    // Parts draw what one run of the whole batch would: each its own stretch of it.
    private void Fill(Feed feed, TensorBuffer buffer, NoiseStream stream, long update, int part)
    {
        var first = part * buffer.Count;
        switch (feed.Kind)
        {
            case FeedKind.Normal:
                stream.FillNormal(buffer.Span<float>(), update, first);
                break;
            case FeedKind.Uniform:
                stream.FillUniform(buffer.Span<float>(), update, first);
                break;
            case FeedKind.PairLatent:
                _pairs.Value.Latents(update, part, buffer.Span<float>());
                break;
            case FeedKind.PairSample:
                _pairs.Value.Samples(update, part, buffer.Span<float>());
                break;
            case FeedKind.PairLabel:
                _pairs.Value.Labels(update, part, buffer.Span<long>());
                break;
            default:
                stream.FillIntegers(buffer.Span<long>(), feed.Bound, update, first);
                break;
        }
    }

    // Weights alternate between two vectors a network: a binding for each combination that occurs, made once.
    private SessionBinding Binding()
    {
        var key = _graph.ReadsFrom.Aggregate((long)CarriedParity, (bits, role) => (bits << 1) | (uint)_states[role].Parity);
        if (_bindings.TryGetValue(key, out var binding))
            return binding;
        var inputs = _feeds.Select(f => KeyValuePair.Create(f.Feed.Name, f.Buffer.OnDevice.View(f.Feed.Dims)))
            .Concat(_graph.Model.Graph.Inputs.Where(i => i.Name.Contains('/', StringComparison.Ordinal)).Select(Parameter));
        if (_lossScale is not null)
            inputs = inputs.Append(KeyValuePair.Create(TrainingGraph.LossScaleInput, _lossScale.OnDevice.View(0, [])));
        inputs = inputs.Concat(_carried.Select(c => KeyValuePair.Create(CarriedValue.InputName(c.Value.Name), c.Buffers[CarriedParity].View(0, c.Value.Initial.Dims))));
        var outputs = _graph.Gradients.SelectMany(role => role.Value.Select(p => Gradient(role.Key, p)))
            .Append(KeyValuePair.Create(TrainingGraph.LossOutput, _loss.OnDevice.View(0, [])))
            .Concat(_carried.Select(c => KeyValuePair.Create(CarriedValue.OutputName(c.Value.Name), c.Buffers[1 - CarriedParity].View(0, c.Value.Initial.Dims))));
        return _bindings[key] = _session.Bind(inputs, outputs);
    }

    private KeyValuePair<string, TensorView> Parameter(Value input)
    {
        var slash = input.Name.IndexOf('/', StringComparison.Ordinal);
        var state = _states[input.Name[..slash]];
        return KeyValuePair.Create(input.Name, state.Description.Layout.View(state.Current(OptimizerGraph.Weights), input.Name[(slash + 1)..]));
    }

    private KeyValuePair<string, TensorView> Gradient(string role, string parameter)
    {
        var name = TrainingGraph.GradientOutput(role, parameter);
        var slot = _states[role].Description.Layout[parameter];
        // The graph's gradient may have another shape than the parameter, with the same numbers in the same order.
        return KeyValuePair.Create(name, _states[role].Gradients[_lane].View(slot.Offset, _graph.Model.Graph.Output(name).Shape.Sizes()));
    }

    public void Dispose()
    {
        foreach (var binding in _bindings.Values)
            binding.Dispose();
        _session.Dispose();
        foreach (var (_, buffer, _) in _feeds)
            buffer.Dispose();
        foreach (var buffer in _carried.SelectMany(c => c.Buffers))
            buffer.Dispose();
        _loss.Dispose();
        _lossScale?.Dispose();
    }
}
