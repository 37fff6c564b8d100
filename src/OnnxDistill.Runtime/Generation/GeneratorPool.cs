using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Runtime.Generation;

/// <summary>Batches of one generator, lent to the threads that run it at the same time. Owns the session; what is lent out when the pool is disposed of is
/// freed when it comes back, and the session last.</summary>
/// <param name="session">The generator's session.</param>
/// <param name="form">What it takes and gives.</param>
/// <param name="most">Samples of the largest batch.</param>
internal sealed class GeneratorPool(GraphSession session, GeneratorForm form, int most) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Stack<GeneratorBatch>?[] _free = new Stack<GeneratorBatch>?[most + 1];
    private int _lent;
    private bool _disposed;

    /// <summary>Samples of the largest batch.</summary>
    public int Most => most;

    /// <summary>A batch of that many samples, for the calling thread until it gives it back.</summary>
    /// <exception cref="ObjectDisposedException">The pool is gone.</exception>
    public GeneratorBatch Rent(int count)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(OneStepGenerator));
            _lent++;
            if (_free[count] is { Count: > 0 } free)
                return free.Pop();
        }
        try
        {
            return new GeneratorBatch(session, form, count);
        }
        catch
        {
            Returned(null);
            throw;
        }
    }

    /// <summary>Takes a batch back.</summary>
    public void Return(GeneratorBatch batch) => Returned(batch);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            foreach (var batch in _free.OfType<Stack<GeneratorBatch>>().SelectMany(static b => b))
                batch.Dispose();
            if (_lent == 0)
                session.Dispose();
        }
    }

    private void Returned(GeneratorBatch? batch)
    {
        lock (_gate)
        {
            _lent--;
            if (!_disposed)
            {
                if (batch is not null)
                    (_free[batch.Count] ??= new()).Push(batch);
                return;
            }
            batch?.Dispose();
            if (_lent == 0)
                session.Dispose();
        }
    }
}
