using System.Globalization;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Importing;

/// <summary>
/// The numbers that a network's samples are made of, and the order of their axes: y = half · x + middle for x in [-1, 1], so noise of level sigma on x is noise of
/// level half · sigma on y.
/// </summary>
internal sealed record DataRange(double Half, double Middle, bool IsFree, bool IsBgr, bool IsChannelsLast)
{
    /// <summary>The range that says that the numbers have none.</summary>
    public const string Free = "free";

    /// <summary>What the options say.</summary>
    /// <exception cref="TeacherMismatchException">They say nothing sensible.</exception>
    public static DataRange Parse(ImportOptions options)
    {
        var ends = options.Range.Split("..");
        double low = -1, high = 1;
        if (options.Range != Free && (ends.Length != 2 || !Number(ends[0], out low) || !Number(ends[1], out high) || !(low < high)))
            throw new TeacherMismatchException($"--range: found '{options.Range}', expected two numbers as in -1..1, 0..1 or 0..255, or {Free}.");
        if (options.Channels is not ("rgb" or "bgr"))
            throw new TeacherMismatchException($"--channels: found '{options.Channels}', expected rgb or bgr.");
        if (options.Layout is not ("nchw" or "nhwc"))
            throw new TeacherMismatchException($"--layout: found '{options.Layout}', expected nchw or nhwc.");
        return new DataRange((high - low) / 2, (high + low) / 2, options.Range == Free, options.Channels == "bgr", options.Layout == "nhwc");
    }

    /// <summary>The shape of the teacher's samples, of the network's.</summary>
    /// <exception cref="TeacherMismatchException">The network's samples do not have the axes that were told.</exception>
    public Shape ShapeOf(Shape network, string what)
    {
        if ((IsChannelsLast || IsBgr) && network.Rank != 4)
            throw new TeacherMismatchException($"{what} has samples of shape {network}; --layout nhwc and --channels bgr are for images, which have four axes.");
        var shape = IsChannelsLast ? Shape.Of(network[0], network[3], network[1], network[2]) : network;
        return !IsBgr || shape[1] == 3 ? shape : throw new TeacherMismatchException($"{what} has {shape[1]} channels, --channels bgr is for 3.");
    }

    /// <summary>The teacher's samples in the network's range, axes as the teacher has them.</summary>
    public Value ToNetwork(GraphBuilder b, Value x) => Shift(b, Half == 1 ? x : b.Mul(x, Half), Middle);

    /// <summary>The way back.</summary>
    public Value FromNetwork(GraphBuilder b, Value y) => Shift(b, y, -Middle) is var centred && Half == 1 ? centred : b.Mul(centred, 1 / Half);

    /// <summary>Noise levels [N] in the network's units.</summary>
    public Value LevelToNetwork(GraphBuilder b, Value sigma) => Half == 1 ? sigma : b.Mul(sigma, Half);

    /// <summary>Channels and axes as the network has them.</summary>
    public Value AxesToNetwork(GraphBuilder b, Value y)
    {
        var ordered = Swap(b, y);
        return IsChannelsLast ? b.Transpose(ordered, 0, 2, 3, 1) : ordered;
    }

    /// <summary>The way back.</summary>
    public Value AxesFromNetwork(GraphBuilder b, Value y) => Swap(b, IsChannelsLast ? b.Transpose(y, 0, 3, 1, 2) : y);

    private Value Swap(GraphBuilder b, Value y) => IsBgr ? b.Gather(y, b.Longs(2, 1, 0), 1) : y;

    private static Value Shift(GraphBuilder b, Value y, double by) => by == 0 ? y : b.Add(y, by);

    private static bool Number(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
}
