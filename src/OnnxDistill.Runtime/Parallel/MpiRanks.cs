using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Native;

namespace OnnxDistill.Runtime.Parallel;

/// <summary>Processes that mpirun started, over Open MPI. One a process, for MPI starts once.</summary>
public sealed unsafe class MpiRanks : IRankGroup
{
    // MPI counts elements in 32 bits; chunks also keep its own temporary copies small.
    private const int Chunk = 1 << 26;

    private readonly MpiLibrary _mpi;

    private MpiRanks(MpiLibrary mpi)
    {
        _mpi = mpi;
        (Rank, Count) = mpi.Init();
    }

    /// <inheritdoc/>
    public int Rank { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public int ThreadShare => RankEnvironment.ThreadShare;

    /// <summary>Loads Open MPI's library and starts it.</summary>
    /// <exception cref="RuntimeUnavailableException">The library is missing or not Open MPI's.</exception>
    public static MpiRanks Start() => new(MpiLibrary.Load());

    /// <inheritdoc/>
    public void Sum(TensorBuffer numbers)
    {
        if (numbers.Type != ElementType.Float32)
            throw new ArgumentException($"Ranks add up float32 numbers, found {numbers.Type}.", nameof(numbers));
        for (long at = 0; at < numbers.Count; at += Chunk)
            _mpi.SumFloats((float*)numbers.Address + at, (int)Math.Min(Chunk, numbers.Count - at));
        GC.KeepAlive(numbers);
    }

    /// <inheritdoc/>
    public void Sum(Span<double> numbers)
    {
        fixed (double* first = numbers)
            _mpi.SumDoubles(first, numbers.Length);
    }

    /// <inheritdoc/>
    public void Broadcast(Span<byte> bytes)
    {
        fixed (byte* first = bytes)
            _mpi.BroadcastBytes(first, bytes.Length);
    }

    /// <inheritdoc/>
    public void Broadcast(TensorBuffer buffer)
    {
        for (long at = 0; at < buffer.ByteCount; at += Chunk)
            _mpi.BroadcastBytes((byte*)buffer.Address + at, (int)Math.Min(Chunk, buffer.ByteCount - at));
        GC.KeepAlive(buffer);
    }

    /// <inheritdoc/>
    public float[] Gather(ReadOnlySpan<float> part, IReadOnlyList<int> counts)
    {
        if (counts.Count != Count || counts[Rank] != part.Length)
            throw new ArgumentException($"Rank {Rank} of {Count} has {part.Length} numbers, the counts are {string.Join(", ", counts)}.", nameof(counts));
        int[] lengths = [.. counts], starts = new int[Count];
        for (var rank = 1; rank < Count; rank++)
            starts[rank] = checked(starts[rank - 1] + lengths[rank - 1]);
        var all = new float[checked(starts[^1] + lengths[^1])];
        fixed (float* source = part, target = all)
        fixed (int* length = lengths, start = starts)
            _mpi.GatherFloats(source, part.Length, target, length, start);
        return all;
    }

    /// <inheritdoc/>
    public void Barrier() => _mpi.Barrier();

    /// <inheritdoc/>
    public void Abort(int exitCode) => _mpi.Abort(exitCode);

    /// <inheritdoc/>
    public void Leave()
    {
        // A rank that ends with an exit code other than 0 has mpirun end the rest, which may still be writing.
        Barrier();
        _mpi.Leave();
    }
}
