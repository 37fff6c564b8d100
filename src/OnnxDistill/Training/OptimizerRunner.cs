using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Training;

/// <summary>
/// Runs one network's optimizer graph on its flat vectors, block by block, so that the graph's passes find their numbers in cache; threads take
/// blocks side by side. Owns its sessions.
/// </summary>
internal sealed class OptimizerRunner : IDisposable
{
    private readonly NetworkState _state;
    private readonly List<OptimizerWorker> _workers = [];
    private readonly Dictionary<string, TensorBuffer> _scalars = [];
    private readonly Dictionary<string, TensorBuffer> _norms = [];

    public OptimizerRunner(NetworkState state, DeviceOptions device)
    {
        _state = state;
        var network = state.Description;
        // Another device has caches of its own kind, and a run there costs more than a pass.
        var onCpu = Device.Parse(device.Device).Kind == DeviceKind.Cpu;
        var blocks = onCpu ? OptimizerBlock.Split(network.Layout.Length) : [new OptimizerBlock(0, 0, network.Layout.Length)];
        var workers = Math.Min(device.Threads > 0 ? device.Threads : Environment.ProcessorCount, blocks.Count);
        string[] clip = Clips ? [OptimizerGraph.ClipFactor] : [];
        try
        {
            foreach (var name in OptimizerGraph.Scalars(network.Optimizer, network.HasEma).Concat(clip))
                _scalars[name] = new TensorBuffer(ElementType.Float32, 1);
            foreach (var name in OptimizerGraph.Norms(network.Optimizer))
                _norms[name] = new TensorBuffer(ElementType.Float32, blocks.Count);
            for (var i = 0; i < workers; i++)
            {
                var share = blocks.Where(b => (long)b.Index * workers / blocks.Count == i);
                _workers.Add(new OptimizerWorker(state, share, _scalars, _norms, onCpu ? device with { Threads = 1 } : device));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private bool Clips => _state.Description.Optimizer.ClipNorm > 0;

    /// <summary>Makes one update. A gradient that is not finite changes nothing but the count of attempts.</summary>
    /// <returns>The gradient's norm before clipping.</returns>
    public float Update(double learningRate, double emaBeta)
    {
        var options = _state.Description.Optimizer;
        foreach (var name in OptimizerGraph.Scalars(options, _state.Description.HasEma))
            Set(name, Schedules.OptimizerScalar(name, options, learningRate, _state.Step + 1, emaBeta));
        if (Clips)
        {
            SideBySide(worker => worker.Measure());
            if (!float.IsFinite(Norm(OptimizerGraph.GradientNorm)))
                return Norm(OptimizerGraph.GradientNorm);
            // The 1e-6 is PyTorch's guard against a zero norm.
            Set(OptimizerGraph.ClipFactor, Math.Min(1, options.ClipNorm / (Norm(OptimizerGraph.Norms(options)[^1]) + 1e-6)));
        }
        SideBySide(worker => worker.Update(_state.Parity));
        var norm = Norm(OptimizerGraph.GradientNorm);
        if (float.IsFinite(norm))
        {
            _state.Swap();
            _state.Step++;
        }
        return norm;
    }

    private void Set(string scalar, double value) => _scalars[scalar].Span<float>()[0] = (float)value;

    // Added up in the blocks' order, whoever ran them.
    private float Norm(string name)
    {
        var sum = 0.0;
        foreach (var norm in _norms[name].Span<float>())
            sum += (double)norm * norm;
        return (float)Math.Sqrt(sum);
    }

    private void SideBySide(Action<OptimizerWorker> run)
    {
        var others = _workers.Skip(1).Select(worker => Task.Run(() => run(worker))).ToArray();
        try
        {
            run(_workers[0]);
        }
        finally
        {
            // Also when this worker failed: nobody may dispose of buffers that another one is still using.
            Task.WaitAll(others);
        }
    }

    public void Dispose()
    {
        _workers.ForEach(worker => worker.Dispose());
        foreach (var buffer in _scalars.Values.Concat(_norms.Values))
            buffer.Dispose();
    }
}
