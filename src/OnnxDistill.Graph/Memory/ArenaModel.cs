namespace OnnxDistill.Graph.Memory;

/// <summary>An arena of one piece in thought: gives the smallest gap that fits, the lower one of two alike, and joins gaps that meet.</summary>
internal sealed class ArenaModel
{
    private readonly SortedSet<(long Size, long Offset)> _bySize = [];
    private readonly Dictionary<long, long> _byStart = [];
    private readonly Dictionary<long, long> _byEnd = [];
    private long _inUse, _top;

    /// <summary>The most bytes in use at once.</summary>
    public long MostInUse { get; private set; }

    /// <summary>Where the furthest piece ended: what has been touched.</summary>
    public long Reach { get; private set; }

    /// <summary>Takes a piece and tells where it lies.</summary>
    public long Take(long size)
    {
        MostInUse = Math.Max(MostInUse, _inUse += size);
        foreach (var gap in _bySize.GetViewBetween((size, 0), (long.MaxValue, long.MaxValue)))
        {
            Forget(gap.Offset, gap.Size);
            if (gap.Size > size)
                Remember(gap.Offset + size, gap.Size - size);
            return gap.Offset;
        }
        var start = _top;
        _top += size;
        Reach = Math.Max(Reach, _top);
        return start;
    }

    /// <summary>Gives a piece back.</summary>
    public void Give(long offset, long size)
    {
        _inUse -= size;
        if (_byEnd.TryGetValue(offset, out var before))
        {
            Forget(before, offset - before);
            (offset, size) = (before, size + offset - before);
        }
        if (_byStart.TryGetValue(offset + size, out var end))
        {
            var next = offset + size;
            Forget(next, end - next);
            size = end - offset;
        }
        // Nothing in use follows: the piece goes back to the rest.
        if (offset + size == _top)
            _top = offset;
        else
            Remember(offset, size);
    }

    private void Remember(long offset, long size)
    {
        _bySize.Add((size, offset));
        _byStart[offset] = offset + size;
        _byEnd[offset + size] = offset;
    }

    private void Forget(long offset, long size)
    {
        _bySize.Remove((size, offset));
        _byStart.Remove(offset);
        _byEnd.Remove(offset + size);
    }
}
