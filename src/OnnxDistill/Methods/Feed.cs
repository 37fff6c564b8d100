using OnnxDistill.Graph.Model;

namespace OnnxDistill.Methods;

/// <summary>How an input of a training graph is filled; part of every artifact's manifest.</summary>
public enum FeedKind
{
    /// <summary>Independent standard normal numbers.</summary>
    Normal,
    /// <summary>Independent uniform numbers in [0, 1).</summary>
    Uniform,
    /// <summary>Independent class indices, uniform over [0, bound).</summary>
    Label,
    /// <summary>Real images in [-1, 1], the phase's batch of the recipe's data.</summary>
    Image,
    /// <summary>The classes of those images.</summary>
    ImageLabel,
    /// <summary>Noise of teacher pairs, the phase's batch of them.</summary>
    PairLatent,
    /// <summary>What the teacher makes of that noise.</summary>
    PairSample,
    /// <summary>The classes of those samples.</summary>
    PairLabel,
    /// <summary>A scalar that follows the samples seen, see <see cref="Methods.Ramp"/>.</summary>
    Ramp,
}

/// <summary>A number that is a function of the samples seen alone, so that nothing about it needs saving: a warm-up, an annealed exponent, a term that sets in.</summary>
/// <param name="From">Its value until <paramref name="StartImages"/>.</param>
/// <param name="To">Its value from <paramref name="EndImages"/> on; between them it moves along a line.</param>
/// <param name="StartImages">Samples seen when it begins to move.</param>
/// <param name="EndImages">Samples seen when it arrives; with the start's number it jumps there.</param>
public sealed record Ramp(double From, double To, long StartImages, long EndImages)
{
    /// <summary>Its value after that many samples.</summary>
    public double At(long imagesSeen) => imagesSeen >= EndImages ? To
        : imagesSeen <= StartImages ? From
        : From + ((To - From) * (imagesSeen - StartImages) / (EndImages - StartImages));
}

/// <summary>An input of a training graph that every update fills anew.</summary>
/// <param name="Name">Name of the graph input, unique within the phase; with the phase's name it also names the random stream.</param>
/// <param name="Kind">Distribution.</param>
/// <param name="Dims">Shape.</param>
/// <param name="Bound">Number of classes, for labels.</param>
public sealed record Feed(string Name, FeedKind Kind, long[] Dims, long Bound = 0)
{
    /// <summary>What a <see cref="FeedKind.Ramp"/> follows.</summary>
    public Ramp? Ramp { get; init; }

    /// <summary>Type of its numbers.</summary>
    public ElementType Type => Kind is FeedKind.Label or FeedKind.ImageLabel or FeedKind.PairLabel ? ElementType.Int64 : ElementType.Float32;
}
