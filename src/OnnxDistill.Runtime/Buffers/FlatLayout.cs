using System.Diagnostics.CodeAnalysis;

namespace OnnxDistill.Runtime.Buffers;

/// <summary>One tensor's place in a flat vector.</summary>
/// <param name="Name">Name of the parameter.</param>
/// <param name="Dims">Extents; read-only.</param>
/// <param name="Offset">First element, a multiple of <see cref="FlatLayout.Granularity"/>.</param>
/// <param name="Count">Number of elements.</param>
public sealed record FlatSlot(string Name, long[] Dims, long Offset, long Count);

/// <summary>Where each named float32 tensor lies in one flat vector, so that optimizer, EMA, clipping, checkpoint and all-reduce see one vector.</summary>
/// <remarks>Offsets are aligned to 64 bytes and the gaps are padding. Buffers are zeroed at birth and nothing writes into the padding, so it
/// adds nothing to a norm over the whole vector: without that invariant a gradient norm is NaN from the first step (design.md decision 3).</remarks>
public sealed class FlatLayout
{
    /// <summary>Elements that offsets and the whole length are multiples of: 64 bytes of float32.</summary>
    public const int Granularity = TensorBuffer.Alignment / sizeof(float);

    private readonly Dictionary<string, FlatSlot> _byName = new(StringComparer.Ordinal);

    /// <summary>A layout of these tensors in this order.</summary>
    /// <exception cref="ArgumentException">A name comes twice, or an extent is negative.</exception>
    public FlatLayout(IEnumerable<(string Name, long[] Dims)> tensors)
    {
        var slots = new List<FlatSlot>();
        foreach (var (name, dims) in tensors)
        {
            var slot = new FlatSlot(name, [.. dims], Length, CountOf(name, dims));
            if (!_byName.TryAdd(name, slot))
                throw new ArgumentException($"The tensor '{name}' comes twice in a flat layout; names have to be unique.", nameof(tensors));
            slots.Add(slot);
            Length = checked(Length + slot.Count + Granularity - 1) / Granularity * Granularity;
        }
        Slots = slots;
    }

    /// <summary>The tensors in order.</summary>
    public IReadOnlyList<FlatSlot> Slots { get; }

    /// <summary>Elements of the whole vector, padding included.</summary>
    public long Length { get; }

    /// <summary>The place of a tensor.</summary>
    /// <exception cref="KeyNotFoundException">There is no tensor of that name; the message tells how many there are and the first few.</exception>
    public FlatSlot this[string name] => _byName.TryGetValue(name, out var slot) ? slot : throw new KeyNotFoundException(
        $"The flat layout has no tensor '{name}'. It has {Slots.Count}: {string.Join(", ", Slots.Take(8).Select(s => s.Name))}{(Slots.Count > 8 ? ", ..." : "")}.");

    /// <summary>The place of a tensor, if it is there.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out FlatSlot? slot) => _byName.TryGetValue(name, out slot);

    /// <summary>A tensor inside a vector of this layout.</summary>
    /// <exception cref="ArgumentException">The buffer is not of this layout's length.</exception>
    public TensorView View(TensorBuffer vector, string name)
    {
        Check(vector);
        var slot = this[name];
        return vector.View(slot.Offset, slot.Dims);
    }

    /// <summary>Every tensor inside a vector of this layout, in order.</summary>
    /// <exception cref="ArgumentException">The buffer is not of this layout's length.</exception>
    public IEnumerable<KeyValuePair<string, TensorView>> Views(TensorBuffer vector)
    {
        Check(vector);
        return Slots.Select(s => KeyValuePair.Create(s.Name, vector.View(s.Offset, s.Dims)));
    }

    /// <summary>A zeroed vector of this layout.</summary>
    /// <param name="memory">The device whose memory it takes; null for the host's.</param>
    public TensorBuffer Allocate(DeviceMemory? memory = null) =>
        memory is null ? new(Graph.Model.ElementType.Float32, Length) : memory.Allocate(Graph.Model.ElementType.Float32, Length);

    private void Check(TensorBuffer vector)
    {
        if (vector.Count != Length)
            throw new ArgumentException($"The buffer has {vector.Count} elements, this layout of {Slots.Count} tensors needs {Length}.", nameof(vector));
    }

    private static long CountOf(string name, long[] dims) => Array.TrueForAll(dims, static d => d >= 0)
        ? dims.Aggregate(1L, static (a, b) => checked(a * b))
        : throw new ArgumentException($"The tensor '{name}' has the shape [{string.Join(", ", dims)}]; a flat layout needs known extents.", nameof(dims));
}
