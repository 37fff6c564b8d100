namespace OnnxDistill.Methods;

/// <summary>An activation of a denoiser that a method reads beside the output.</summary>
/// <param name="Role">The network.</param>
/// <param name="Tensor">Name of the tensor in its file; empty for the end of the encoder, see <see cref="Networks.FeatureTaps"/>.</param>
public sealed record FeatureTap(string Role, string Tensor = "")
{
    /// <summary>Left out where the network has no such tensor.</summary>
    public bool IsOptional { get; init; }
}
