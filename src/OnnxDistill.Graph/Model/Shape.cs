using System.Collections;

namespace OnnxDistill.Graph.Model;

/// <summary>An ordered list of extents; rank 0 is a scalar. Compared by content.</summary>
public sealed class Shape : IReadOnlyList<Dim>, IEquatable<Shape>
{
    private readonly Dim[] _dims;

    /// <summary>A shape of these extents.</summary>
    public Shape(IEnumerable<Dim> dims) => _dims = [.. dims];

    /// <summary>The shape of a scalar.</summary>
    public static Shape Scalar { get; } = new([]);

    /// <summary>A shape of these extents.</summary>
    public static Shape Of(params ReadOnlySpan<Dim> dims) => new(dims.ToArray());

    /// <summary>A shape of known extents.</summary>
    public static Shape Of(IEnumerable<long> dims) => new(dims.Select(d => (Dim)d));

    /// <inheritdoc/>
    public Dim this[int index] => _dims[index];

    /// <summary>Number of axes.</summary>
    public int Rank => _dims.Length;

    int IReadOnlyCollection<Dim>.Count => _dims.Length;

    /// <summary>Whether every extent is a known number.</summary>
    public bool IsStatic => Array.TrueForAll(_dims, static d => d.IsKnown);

    /// <summary>Number of elements.</summary>
    /// <exception cref="InvalidOperationException">An extent is not known.</exception>
    public long ElementCount => Sizes().Aggregate(1L, static (a, b) => checked(a * b));

    /// <summary>The extents as numbers.</summary>
    /// <exception cref="InvalidOperationException">An extent is not known.</exception>
    public long[] Sizes() => IsStatic
        ? Array.ConvertAll(_dims, static d => d.Size)
        : throw new InvalidOperationException($"The shape {this} has unknown extents where known ones are needed.");

    /// <summary>The axis counted from the front: negative axes count from the back.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The axis lies outside the shape.</exception>
    public int Axis(long axis)
    {
        var index = axis < 0 ? axis + Rank : axis;
        return index >= 0 && index < Rank
            ? (int)index
            : throw new ArgumentOutOfRangeException(nameof(axis), axis, $"Axis {axis} lies outside the shape {this} of rank {Rank}.");
    }

    /// <summary>A copy with one extent replaced.</summary>
    public Shape With(int axis, Dim dim)
    {
        var dims = (Dim[])_dims.Clone();
        dims[axis] = dim;
        return new Shape(dims);
    }

    /// <summary>The shape that results from numpy-style broadcasting of two shapes.</summary>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static Shape Broadcast(Shape a, Shape b)
    {
        var rank = Math.Max(a.Rank, b.Rank);
        var dims = new Dim[rank];
        for (var i = 1; i <= rank; i++)
        {
            var x = i <= a.Rank ? a[a.Rank - i] : 1;
            var y = i <= b.Rank ? b[b.Rank - i] : 1;
            dims[rank - i] = x == y || y == 1 ? x
                : x == 1 ? y
                // A symbol against a number over 1: only that number can hold at run time.
                : !x.IsKnown && y.IsKnown ? y
                : x.IsKnown && !y.IsKnown ? x
                : throw new ArgumentException($"The shapes {a} and {b} do not broadcast: {x} against {y}.");
        }
        return new Shape(dims);
    }

    /// <inheritdoc/>
    public bool Equals(Shape? other) => other is not null && _dims.AsSpan().SequenceEqual(other._dims);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Shape);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var dim in _dims)
            hash.Add(dim);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<Dim> GetEnumerator() => ((IEnumerable<Dim>)_dims).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public override string ToString() => $"[{string.Join(", ", _dims)}]";
}
