using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Training;

/// <summary>What one update did.</summary>
/// <param name="Norm">The gradient's norm before clipping; not finite when the gradient is not.</param>
/// <param name="Made">Whether the update was made; else nothing changed.</param>
/// <param name="Replaced">Numbers of the gradient that were not finite and have been replaced, see <see cref="Recipes.NonFiniteGradients.Zero"/>.</param>
internal readonly record struct UpdateResult(float Norm, bool Made, long Replaced);

/// <summary>
/// Runs one network's optimizer graph on its flat vectors, block by block, so that the graph's passes find their numbers in cache; threads take
/// blocks side by side. Owns its sessions.
/// </summary>
internal sealed class OptimizerRunner : IDisposable
{
    private readonly NetworkState _state;
    private readonly List<OptimizerWorker> _workers = [];
    private readonly Dictionary<string, StagedBuffer> _scalars = [];
    private readonly Dictionary<string, StagedBuffer> _measures = [];

    public OptimizerRunner(NetworkState state, DeviceOptions device)
    {
        _state = state;
        var network = state.Description;
        // Another device has caches of its own kind, and a run there costs more than a pass.
        var onCpu = Device.Parse(device.Device).Kind == DeviceKind.Cpu;
        var blocks = onCpu ? OptimizerBlock.Split(network.Layout.Length) : [new OptimizerBlock(0, 0, network.Layout.Length)];
        var workers = Math.Min(device.Threads > 0 ? device.Threads : Environment.ProcessorCount, blocks.Count);
        string[] further = [.. Clips ? new[] { OptimizerGraph.ClipFactor } : [], .. network.IsScaled ? new[] { OptimizerGraph.GradientScale } : []];
        try
        {
            foreach (var name in OptimizerGraph.Scalars(network.Optimizer, network.HasEma).Concat(further))
                _scalars[name] = new StagedBuffer(ElementType.Float32, 1, state.Memory);
            foreach (var name in OptimizerGraph.Measures(network.Optimizer))
                _measures[name] = new StagedBuffer(ElementType.Float32, blocks.Count, state.Memory);
            for (var i = 0; i < workers; i++)
            {
                var share = blocks.Where(b => (long)b.Index * workers / blocks.Count == i);
                _workers.Add(new OptimizerWorker(state, share, _scalars, _measures, onCpu ? device with { Threads = 1 } : device));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The scale of the loss whose gradients <see cref="Update"/> finds; 1 unless the network is trained under fp16.</summary>
    public double LossScale { get; set; } = 1;

    private bool Clips => _state.Description.Optimizer.ClipNorm > 0;

    /// <summary>After a round's runs, where the batch is cut so that gradients have to be added up: adds them.</summary>
    public void Sum(int round)
    {
        if (_state.Parts.AddsUp)
            SideBySide(worker => worker.Sum(round));
    }

    /// <summary>Makes one update. A gradient that is not finite changes nothing.</summary>
    /// <param name="learningRate">Step size.</param>
    /// <param name="emaBeta">Decay of the average.</param>
    /// <param name="wanted">Whether the update is to be made; else only its figures are.</param>
    public UpdateResult Update(double learningRate, double emaBeta, bool wanted = true)
    {
        var options = _state.Description.Optimizer;
        foreach (var name in OptimizerGraph.Scalars(options, _state.Description.HasEma))
            Set(name, Schedules.OptimizerScalar(name, options, learningRate, _state.Step + 1, emaBeta));
        if (_state.Description.IsScaled)
            Set(OptimizerGraph.GradientScale, 1 / LossScale);
        if (Clips)
        {
            SideBySide(worker => worker.Measure());
            if (!wanted || !float.IsFinite(Norm(OptimizerGraph.GradientNorm)))
                return Result(made: false);
            // The 1e-6 is PyTorch's guard against a zero norm.
            Set(OptimizerGraph.ClipFactor, Math.Min(1, options.ClipNorm / (Norm(OptimizerGraph.Norms(options)[^1]) + 1e-6)));
        }
        SideBySide(worker => worker.Update(_state.Parity));
        var made = wanted && float.IsFinite(Norm(OptimizerGraph.GradientNorm));
        if (made)
        {
            _state.Swap();
            _state.Step++;
        }
        return Result(made);
    }

    private UpdateResult Result(bool made)
    {
        var replaced = 0L;
        if (_measures.TryGetValue(OptimizerGraph.Replaced, out var counts))
        {
            counts.Download();
            foreach (var count in counts.OnHost.Span<float>())
                replaced += (long)count;
        }
        return new UpdateResult(Norm(OptimizerGraph.GradientNorm), made, replaced);
    }

    private void Set(string scalar, double value)
    {
        _scalars[scalar].OnHost.Span<float>()[0] = (float)value;
        _scalars[scalar].Upload();
    }

    // Added up in the blocks' order, whoever ran them.
    private float Norm(string name)
    {
        var sum = 0.0;
        _measures[name].Download();
        foreach (var norm in _measures[name].OnHost.Span<float>())
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
        foreach (var buffer in _scalars.Values.Concat(_measures.Values))
            buffer.Dispose();
    }
}
