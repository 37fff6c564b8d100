using System.Text;

namespace OnnxDistill.Runtime.Noise;

/// <summary>Which of a run's independent streams of random numbers; made from a name, so that new ones disturb no old one.</summary>
/// <param name="Value">The number that enters Philox's counter.</param>
public readonly record struct StreamId(uint Value)
{
    /// <summary>Latents that the student turns into samples.</summary>
    public static StreamId Latent { get; } = Named("z");

    /// <summary>Noise added to samples.</summary>
    public static StreamId Noise { get; } = Named("epsilon");

    /// <summary>Noise levels.</summary>
    public static StreamId NoiseLevel { get; } = Named("sigma");

    /// <summary>Class labels.</summary>
    public static StreamId Labels { get; } = Named("labels");

    /// <summary>Which images a step takes.</summary>
    public static StreamId Data { get; } = Named("data");

    /// <summary>Initial weights.</summary>
    public static StreamId Weights { get; } = Named("weights");

    /// <summary>The stream of that name: FNV-1a over its UTF-8 bytes, the same for ever. About ten names in 2^32 collide once in 10^8 times.</summary>
    public static StreamId Named(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var hash = 2166136261u;
        foreach (var b in Encoding.UTF8.GetBytes(name))
            hash = unchecked((hash ^ b) * 16777619u);
        return new StreamId(hash);
    }
}
