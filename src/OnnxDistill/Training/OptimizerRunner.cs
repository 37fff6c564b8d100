using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Training;

/// <summary>Runs one network's optimizer graph on its flat vectors. Owns its session.</summary>
internal sealed class OptimizerRunner : IDisposable
{
    private readonly NetworkState _state;
    private readonly GraphSession _session;
    private readonly Dictionary<string, TensorBuffer> _scalars;
    private readonly SessionBinding[] _bindings = new SessionBinding[2];
    private readonly TensorBuffer _norm;

    public OptimizerRunner(NetworkState state, DeviceOptions device)
    {
        _state = state;
        var network = state.Description;
        var lanes = state.Gradients.Count;
        // The program's own graph is what artifacts hold: one gradient.
        var model = lanes == 1 ? network.OptimizerModel : OptimizerGraph.Build(network.Layout.Length, network.Optimizer, network.HasEma, lanes);
        _session = GraphSession.Create(model, device, $"the optimizer of {network.Role}");
        // Buffers come after the session: it is what can fail, and nobody could dispose of a half-made runner.
        _norm = new TensorBuffer(ElementType.Float32, 1);
        _scalars = OptimizerGraph.Scalars(network.Optimizer, network.HasEma).ToDictionary(n => n, _ => new TensorBuffer(ElementType.Float32, 1));
        for (var parity = 0; parity < 2; parity++)
        {
            long[] dims = [network.Layout.Length];
            var inputs = state.Vectors.Select(v => KeyValuePair.Create(v, state.At(v, parity).View(dims)))
                .Concat(state.Gradients.Select((gradient, lane) => KeyValuePair.Create(OptimizerGraph.LaneGradient(lane), gradient.View(dims))))
                .Concat(_scalars.Select(s => KeyValuePair.Create(s.Key, s.Value.View(0, []))));
            var outputs = state.Vectors.Select(v => KeyValuePair.Create(OptimizerGraph.Next(v), state.At(v, 1 - parity).View(dims)))
                .Append(KeyValuePair.Create(OptimizerGraph.GradientNorm, _norm.View(0, [])));
            _bindings[parity] = _session.Bind(inputs, outputs);
        }
    }

    /// <summary>Makes one update. A gradient that is not finite changes nothing but the count of attempts.</summary>
    /// <returns>The gradient's norm before clipping.</returns>
    public float Update(double learningRate, double emaBeta)
    {
        foreach (var (name, buffer) in _scalars)
            buffer.Span<float>()[0] = (float)Schedules.OptimizerScalar(name, _state.Description.Optimizer, learningRate, _state.Step + 1, emaBeta);
        _bindings[_state.Parity].Run();
        var norm = _norm.Span<float>()[0];
        if (float.IsFinite(norm))
        {
            _state.Swap();
            _state.Step++;
        }
        return norm;
    }

    public void Dispose()
    {
        foreach (var binding in _bindings)
            binding.Dispose();
        _session.Dispose();
        foreach (var buffer in _scalars.Values)
            buffer.Dispose();
        _norm.Dispose();
    }
}
