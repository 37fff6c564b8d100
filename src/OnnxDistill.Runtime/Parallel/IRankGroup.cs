using OnnxDistill.Runtime.Buffers;

namespace OnnxDistill.Runtime.Parallel;

/// <summary>The processes that work on one job together. Every call but <see cref="Abort"/> is made by all of them, in the same order, from one thread.</summary>
public interface IRankGroup
{
    /// <summary>Number of this process, from 0; rank 0 alone writes files and prints.</summary>
    int Rank { get; }

    /// <summary>Number of processes.</summary>
    int Count { get; }

    /// <summary>Threads that are this process's share of its machine.</summary>
    int ThreadShare { get; }

    /// <summary>Replaces every number by the sum over all ranks; all get the same bits.</summary>
    /// <param name="numbers">Float32, the same count on every rank.</param>
    void Sum(TensorBuffer numbers);

    /// <inheritdoc cref="Sum(TensorBuffer)"/>
    void Sum(Span<double> numbers);

    /// <summary>Gives every rank what rank 0 has; the buffers have the same length.</summary>
    void Broadcast(Span<byte> bytes);

    /// <inheritdoc cref="Broadcast(Span{byte})"/>
    void Broadcast(TensorBuffer buffer);

    /// <summary>Puts the ranks' parts one behind the other, on every rank.</summary>
    /// <param name="part">This rank's part.</param>
    /// <param name="counts">Every rank's number of elements.</param>
    float[] Gather(ReadOnlySpan<float> part, IReadOnlyList<int> counts);

    /// <summary>Returns when all ranks have come here.</summary>
    void Barrier();

    /// <summary>Ends every rank's process, for an error that only this one may have seen. Does not return where there are several.</summary>
    void Abort(int exitCode);

    /// <summary>Takes leave of the other ranks at the end of the work.</summary>
    void Leave();
}

/// <summary>One process alone.</summary>
public sealed class SingleRank : IRankGroup
{
    private SingleRank()
    {
    }

    /// <summary>The group.</summary>
    public static SingleRank Group { get; } = new();

    /// <inheritdoc/>
    public int Rank => 0;

    /// <inheritdoc/>
    public int Count => 1;

    /// <inheritdoc/>
    public int ThreadShare => Environment.ProcessorCount;

    /// <inheritdoc/>
    public void Sum(TensorBuffer numbers)
    {
    }

    /// <inheritdoc/>
    public void Sum(Span<double> numbers)
    {
    }

    /// <inheritdoc/>
    public void Broadcast(Span<byte> bytes)
    {
    }

    /// <inheritdoc/>
    public void Broadcast(TensorBuffer buffer)
    {
    }

    /// <inheritdoc/>
    public float[] Gather(ReadOnlySpan<float> part, IReadOnlyList<int> counts) => part.ToArray();

    /// <inheritdoc/>
    public void Barrier()
    {
    }

    /// <inheritdoc/>
    public void Abort(int exitCode)
    {
    }

    /// <inheritdoc/>
    public void Leave()
    {
    }
}
