using System.Globalization;

namespace OnnxDistill.Graph.Model;

/// <summary>One extent of a shape: a known number, or a named symbol such as the batch <c>N</c>.</summary>
/// <param name="Size">The extent; meaningless when <paramref name="Symbol"/> is set.</param>
/// <param name="Symbol">The name of an unknown extent, or null for a known one.</param>
public readonly record struct Dim(long Size, string? Symbol = null)
{
    /// <summary>Whether the extent is a known number.</summary>
    public bool IsKnown => Symbol is null;

    /// <summary>A named unknown extent.</summary>
    public static Dim Named(string symbol) => new(-1, symbol);

    /// <summary>A known extent.</summary>
    public static implicit operator Dim(long size) => new(size);

    /// <summary>A known extent.</summary>
    public static implicit operator Dim(int size) => new(size);

    /// <inheritdoc/>
    public override string ToString() => Symbol ?? Size.ToString(CultureInfo.InvariantCulture);
}
