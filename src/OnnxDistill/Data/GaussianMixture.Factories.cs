namespace OnnxDistill.Data;

public sealed partial class GaussianMixture
{
    /// <summary>How many uniforms <see cref="FortyModes"/> takes: two coordinates for each of its modes.</summary>
    public const int FortyModesUniforms = 80;

    /// <summary>Equal modes evenly on a circle about the origin, the first on the positive x axis, counter-clockwise.</summary>
    public static GaussianMixture Ring(int modes = 8, double radius = 1, double std = 0.05)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(modes, 1);
        return Equal([.. Enumerable.Range(0, modes).Select(k => OnCircle(radius, 2 * Math.PI * k / modes))], std);
    }

    /// <summary>The forty-mode benchmark of methods.md section 3.9: means uniform in [-40, 40]^2, standard deviation softplus(1) =
    /// 1.3133, equal weights.</summary>
    /// <param name="uniforms"><see cref="FortyModesUniforms"/> numbers in [0, 1), from the caller's seeded stream: x and y of each
    /// mode.</param>
    public static GaussianMixture FortyModes(ReadOnlySpan<double> uniforms)
    {
        if (uniforms.Length != FortyModesUniforms)
        {
            throw new ArgumentException($"Forty modes need {FortyModesUniforms} uniforms, found {uniforms.Length}.", nameof(uniforms));
        }

        var means = new double[FortyModesUniforms / 2][];
        for (var k = 0; k < means.Length; k++)
        {
            means[k] = [80 * uniforms[2 * k] - 40, 80 * uniforms[2 * k + 1] - 40];
        }

        return Equal(means, Math.Log(1 + Math.E));
    }

    private static GaussianMixture Equal(double[][] means, double std) =>
        new(Array.ConvertAll(means, static _ => 1.0), means, Array.ConvertAll(means, _ => std));

    private static double[] OnCircle(double radius, double angle) => [radius * Math.Cos(angle), radius * Math.Sin(angle)];
}
