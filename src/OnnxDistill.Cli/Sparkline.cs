namespace OnnxDistill.Cli;

/// <summary>A curve in one line of text.</summary>
internal static class Sparkline
{
    private const string Blocks = "▁▂▃▄▅▆▇█", Ascii = "_.-~=+*#";

    /// <summary>What stands for a number that is not finite.</summary>
    private const char NotFinite = '!';

    /// <summary>Draws numbers from their smallest to their largest; of more numbers than characters, neighbours are averaged.</summary>
    /// <param name="numbers">The numbers, oldest first.</param>
    /// <param name="width">Most characters.</param>
    /// <param name="unicode">Whether the terminal has block characters.</param>
    public static string Draw(IReadOnlyList<double> numbers, int width, bool unicode = true)
    {
        var count = Math.Min(width, numbers.Count);
        if (count < 1)
            return "";
        var points = Enumerable.Range(0, count).Select(i => Average(numbers, Start(i), Start(i + 1))).ToArray();
        var finite = points.Where(double.IsFinite).ToArray();
        var (low, high) = finite.Length == 0 ? (0, 0) : (finite.Min(), finite.Max());
        var steps = unicode ? Blocks : Ascii;
        return string.Concat(points.Select(p => !double.IsFinite(p) ? NotFinite : high > low ? steps[(int)Math.Min(steps.Length - 1, steps.Length * ((p - low) / (high - low)))] : steps[0]));

        int Start(int i) => (int)((long)numbers.Count * i / count);
    }

    private static double Average(IReadOnlyList<double> numbers, int first, int end)
    {
        var sum = 0.0;
        for (var i = first; i < end; i++)
            sum += numbers[i] / (end - first);
        return sum;
    }
}
