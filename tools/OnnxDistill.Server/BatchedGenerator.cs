using System.Diagnostics;
using System.Threading.Channels;
using OnnxDistill.Runtime.Generation;

namespace OnnxDistill.Server;

/// <summary>Draws an image for each request, one after the other in the pixels.</summary>
internal delegate void DrawImages(ReadOnlySpan<GeneratorRequest> requests, Span<byte> pixels);

/// <summary>
/// A bounded queue before a generator: what waits is drawn together, in batches; what finds the queue full is turned away at once. A request that is cancelled
/// gives its place back. To be copied into other servers: it knows nothing of HTTP.
/// </summary>
internal sealed class BatchedGenerator : IAsyncDisposable
{
    private readonly DrawImages _draw;
    private readonly int _imageBytes;
    private readonly BatchOptions _options;
    private readonly Channel<Pending> _queue;
    private readonly Task[] _workers;
    private readonly Lock _gate = new(); // all writes to the queue
    private readonly long[] _sizes;
    private long _accepted, _rejected, _cancelled, _failed, _drawn, _ticks;
    private int _waiting;
    private bool _stopping;

    /// <summary>Starts the workers.</summary>
    /// <param name="draw">Draws; called by several threads at once with more than one worker.</param>
    /// <param name="imageBytes">Bytes of an image.</param>
    /// <param name="options">Sizes.</param>
    public BatchedGenerator(DrawImages draw, int imageBytes, BatchOptions options)
    {
        (_draw, _imageBytes, _options) = (draw, imageBytes, options.Checked());
        _queue = Channel.CreateBounded<Pending>(new BoundedChannelOptions(options.Queue) { SingleReader = options.Workers == 1 });
        _sizes = new long[options.Batch];
        // Threads of their own: drawing would keep the pool's from answering.
        _workers = [.. Enumerable.Range(0, options.Workers).Select(_ => Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
    }

    /// <summary>What has happened so far.</summary>
    public BatchStatistics Statistics => new(Volatile.Read(ref _waiting), _options.Queue, Interlocked.Read(ref _accepted), Interlocked.Read(ref _rejected), Interlocked.Read(ref _cancelled),
        Interlocked.Read(ref _failed), Interlocked.Read(ref _drawn), TimeSpan.FromTicks(Interlocked.Read(ref _ticks)).TotalSeconds, [.. _sizes]);

    /// <summary>About how long a full queue takes; a second before anything is known.</summary>
    public TimeSpan TimeOfQueue => Interlocked.Read(ref _drawn) is > 0 and var drawn
        ? TimeSpan.FromTicks(Interlocked.Read(ref _ticks) * _options.Queue / drawn / _options.Workers) : TimeSpan.FromSeconds(1);

    /// <summary>Puts a request into the queue.</summary>
    /// <param name="request">What to draw.</param>
    /// <param name="cancellation">Cancelled when nobody wants the image any more.</param>
    /// <returns>The image's bytes, later; null when the queue is full.</returns>
    /// <exception cref="ObjectDisposedException">The generator is being stopped.</exception>
    public Task<byte[]>? TryDraw(GeneratorRequest request, CancellationToken cancellation = default)
    {
        var pending = new Pending(this, request);
        pending.Watch(cancellation);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            Interlocked.Increment(ref _waiting); // before a worker can take it away again
            if (_queue.Writer.TryWrite(pending) || (DropCancelled() && _queue.Writer.TryWrite(pending)))
            {
                Interlocked.Increment(ref _accepted);
                return pending.Task;
            }
        }
        if (pending.TryLeave(Pending.Taken))
            Interlocked.Decrement(ref _waiting);
        pending.Unwatch();
        Interlocked.Increment(ref _rejected);
        return null;
    }

    /// <summary>Takes no more requests and waits until those in the queue are drawn.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _stopping = true;
            _queue.Writer.TryComplete();
        }
        await Task.WhenAll(_workers);
    }

    // A channel has no way to take out of its middle, so the cancelled stay until a worker or this comes by.
    private bool DropCancelled()
    {
        var found = false;
        for (var left = _queue.Reader.Count; left > 0 && _queue.Reader.TryRead(out var pending); left--)
        {
            if (pending.IsWaiting)
                _queue.Writer.TryWrite(pending); // there is room: only this thread writes, and it has just read
            else
                found = true;
        }
        return found;
    }

    private void Work()
    {
        var batch = new List<Pending>(_options.Batch);
        var requests = new GeneratorRequest[_options.Batch];
        var pixels = new byte[_options.Batch * _imageBytes];
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            Take(batch);
            if (batch.Count > 0 && batch.Count < _options.Batch && _options.Window > TimeSpan.Zero)
                WaitForMore(batch);
            if (batch.Count > 0)
                Draw(batch, requests, pixels);
            batch.Clear();
        }
    }

    private void Take(List<Pending> batch)
    {
        while (batch.Count < _options.Batch && _queue.Reader.TryRead(out var pending))
        {
            if (!pending.TryLeave(Pending.Taken))
                continue;
            Interlocked.Decrement(ref _waiting);
            batch.Add(pending);
        }
    }

    private void WaitForMore(List<Pending> batch)
    {
        using var window = new CancellationTokenSource(_options.Window);
        try
        {
            while (batch.Count < _options.Batch && _queue.Reader.WaitToReadAsync(window.Token).AsTask().GetAwaiter().GetResult())
                Take(batch);
        }
        catch (OperationCanceledException)
        {
            // The window is over.
        }
    }

    private void Draw(List<Pending> batch, GeneratorRequest[] requests, byte[] pixels)
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            for (var i = 0; i < batch.Count; i++)
                requests[i] = batch[i].Request;
            _draw(requests.AsSpan(0, batch.Count), pixels.AsSpan(0, batch.Count * _imageBytes));
            Interlocked.Add(ref _ticks, Stopwatch.GetElapsedTime(start).Ticks);
            Interlocked.Add(ref _drawn, batch.Count);
            Interlocked.Increment(ref _sizes[batch.Count - 1]);
            for (var i = 0; i < batch.Count; i++)
                batch[i].TrySetResult(pixels.AsSpan(i * _imageBytes, _imageBytes).ToArray());
        }
#pragma warning disable CA1031 // Whatever it is, those who wait get it, and the worker goes on.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Interlocked.Add(ref _failed, batch.Count);
            foreach (var pending in batch)
                pending.TrySetException(error);
        }
        foreach (var pending in batch)
            pending.Unwatch();
    }

    /// <summary>A request in the queue.</summary>
    private sealed class Pending(BatchedGenerator owner, GeneratorRequest request) : TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public const int Waiting = 0, Taken = 1, Cancelled = 2;
        private CancellationTokenRegistration _watch;
        private int _state;

        public GeneratorRequest Request => request;

        public bool IsWaiting => Volatile.Read(ref _state) == Waiting;

        /// <summary>Ends its waiting; false when something else has ended it.</summary>
        public bool TryLeave(int state) => Interlocked.CompareExchange(ref _state, state, Waiting) == Waiting;

        public void Watch(CancellationToken cancellation) => _watch = cancellation.UnsafeRegister(static (state, token) => ((Pending)state!).Cancel(token), this); // state is this

        public void Unwatch() => _watch.Unregister();

        private void Cancel(CancellationToken token)
        {
            if (TryLeave(Cancelled))
            {
                Interlocked.Decrement(ref owner._waiting);
                Interlocked.Increment(ref owner._cancelled);
            }
            // When it is being drawn already, nobody looks at the image.
            TrySetCanceled(token);
        }
    }
}
