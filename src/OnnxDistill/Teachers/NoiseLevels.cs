using System.Globalization;
using System.Text.Json.Serialization;

namespace OnnxDistill.Teachers;

/// <summary>The only noise levels that a teacher with whole steps knows: noise has to be of one of them before it is added (methods.md section 2). Compared by
/// content.</summary>
public sealed class NoiseLevels : IEquatable<NoiseLevels>
{
    private readonly double[] _sigmas;

    /// <summary>These levels, in any order.</summary>
    /// <exception cref="TeacherMismatchException">There is none, or one is no finite number above 0.</exception>
    public NoiseLevels(IEnumerable<double> sigmas)
    {
        _sigmas = [.. sigmas.Order()];
        if (_sigmas.Length == 0 || !Array.TrueForAll(_sigmas, static s => s > 0 && double.IsFinite(s)))
            throw new TeacherMismatchException($"Noise levels have to be finite numbers above 0, found {(_sigmas.Length == 0 ? "none" : _sigmas.First(static s => !(s > 0) || !double.IsFinite(s)))}.");
    }

    /// <summary>How many there are.</summary>
    public int Count => _sigmas.Length;

    /// <summary>The levels, smallest first.</summary>
    [JsonIgnore]
    public IReadOnlyList<double> Sigmas => _sigmas;

    /// <summary>The nearest level.</summary>
    public double Nearest(double sigma)
    {
        var above = Array.BinarySearch(_sigmas, sigma) is >= 0 and var exact ? exact : ~Array.BinarySearch(_sigmas, sigma);
        return above == 0 ? _sigmas[0] : above == _sigmas.Length ? _sigmas[^1]
            : sigma - _sigmas[above - 1] <= _sigmas[above] - sigma ? _sigmas[above - 1] : _sigmas[above];
    }

    /// <summary>The levels of a text that <see cref="ToString"/> made.</summary>
    /// <exception cref="TeacherMismatchException">It is no list of numbers.</exception>
    public static NoiseLevels Parse(string text) => new(text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static word =>
        double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var sigma) ? sigma
            : throw new TeacherMismatchException($"The teacher's card has '{word}' among its noise levels, expected a number. Import the teacher again.")));

    /// <inheritdoc/>
    public bool Equals(NoiseLevels? other) => other is not null && _sigmas.AsSpan().SequenceEqual(other._sigmas);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as NoiseLevels);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_sigmas.Length, _sigmas[0], _sigmas[^1]);

    /// <summary>Every level, separated by spaces, so that it reads back to the same bits.</summary>
    public override string ToString() => string.Join(' ', _sigmas.Select(static s => s.ToString("R", CultureInfo.InvariantCulture)));
}
