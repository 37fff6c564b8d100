namespace OnnxDistill.Sampling.Solvers;

/// <summary>
/// DDIM (Song et al. 2021, arXiv 2010.02502, equations 12 and 16). With the noise e = (z - keep D)/t that the denoiser sees, keep' being the clean share
/// after the step: z' = keep' D + sqrt(t'² - s²) e + s fresh noise, s = eta t' sqrt(1 - sigma'²/sigma²). Without eta this is Euler's step, in either frame.
/// </summary>
internal sealed class DdimSolver : ISolver
{
    public string Name => "ddim";

    public string Summary => "first order, with --eta fresh noise in each step up to that of DDPM";

    public string UsualLevels => "ddpm";

    public bool TakesEta => true;

    public double[] Step(SampledBatch batch, double[] z, double from, double to)
    {
        var path = batch.Path;
        var ratio = path.Sigma(to) / path.Sigma(from);
        var fresh = batch.Eta * to * Math.Sqrt(Math.Max(0, 1 - (ratio * ratio)));
        var kept = Math.Sqrt(Math.Max(0, (to * to) - (fresh * fresh)));
        var denoised = batch.Denoise(z, from);
        var noise = fresh > 0 ? batch.Noise(z.Length) : null;
        var (keepFrom, keepTo) = (path.Keep(from), path.Keep(to));
        var next = new double[z.Length];
        for (var i = 0; i < z.Length; i++)
        {
            var seen = (z[i] - (keepFrom * denoised[i])) / from;
            next[i] = (keepTo * denoised[i]) + (kept * seen) + (noise is null ? 0 : fresh * noise[i]);
        }
        return next;
    }
}
