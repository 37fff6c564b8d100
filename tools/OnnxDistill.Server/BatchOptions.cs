namespace OnnxDistill.Server;

/// <summary>How requests wait and are put together.</summary>
internal sealed record BatchOptions
{
    /// <summary>Requests that may wait; one more is turned away.</summary>
    public int Queue { get; init; } = 64;

    /// <summary>Most requests that are drawn at once.</summary>
    public int Batch { get; init; } = 8;

    /// <summary>How long a batch that is not full waits for more; zero for not at all: then a batch is what has gathered while the last one was drawn.</summary>
    public TimeSpan Window { get; init; }

    /// <summary>Batches that are drawn side by side, each on a thread of its own.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Makes sure that the numbers make sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One does not.</exception>
    public BatchOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Queue, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Batch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Workers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Window, TimeSpan.Zero);
        return this;
    }
}

/// <summary>What has happened so far.</summary>
/// <param name="Waiting">Requests in the queue now.</param>
/// <param name="Queue">Places in the queue.</param>
/// <param name="Accepted">Requests that got a place.</param>
/// <param name="Rejected">Requests that found the queue full.</param>
/// <param name="Cancelled">Requests whose client left before they were drawn.</param>
/// <param name="Failed">Requests that the generator failed on.</param>
/// <param name="Drawn">Images drawn.</param>
/// <param name="SecondsDrawing">Time of drawing, all workers together.</param>
/// <param name="BatchSizes">How many batches had 1, 2, ... requests.</param>
internal sealed record BatchStatistics(int Waiting, int Queue, long Accepted, long Rejected, long Cancelled, long Failed, long Drawn, double SecondsDrawing, long[] BatchSizes);
