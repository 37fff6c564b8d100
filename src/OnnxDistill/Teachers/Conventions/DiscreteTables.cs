namespace OnnxDistill.Teachers.Conventions;

/// <summary>The noise tables of published networks with integer steps.</summary>
internal static class DiscreteTables
{
    // A beta above this leaves too little of the data (Nichol and Dhariwal 2021, arXiv 2102.09672).
    private const double LargestBeta = 0.999;

    /// <summary>Ho et al. 2020 (arXiv 2006.11239): beta rises linearly.</summary>
    public static TableSchedule Linear(int steps, double first, double last) =>
        OfBetas(Enumerable.Range(0, steps).Select(i => Between(i, steps, first, last)), "ddpm");

    /// <summary>Latent diffusion (Rombach et al. 2022, arXiv 2112.10752): the root of beta rises linearly.</summary>
    public static TableSchedule ScaledLinear(int steps, double first, double last) =>
        OfBetas(Enumerable.Range(0, steps).Select(i => Math.Pow(Between(i, steps, Math.Sqrt(first), Math.Sqrt(last)), 2)), "scaled-linear");

    /// <summary>Nichol and Dhariwal 2021 (arXiv 2102.09672): the product of 1 - beta follows cos²((t + 0.008)/1.008 pi/2), beta capped.</summary>
    public static TableSchedule Cosine(int steps)
    {
        double Product(int step) => Math.Pow(Math.Cos((((double)step / steps) + 0.008) / 1.008 * Math.PI / 2), 2);
        return OfBetas(Enumerable.Range(0, steps).Select(i => Math.Min(1 - (Product(i + 1) / Product(i)), LargestBeta)), "cosine");
    }

    /// <summary>The same as EDM writes it (Karras et al. 2022, arXiv 2206.00364, table 1, its iDDPM column): u_M = 0,
    /// u_(j-1) = sqrt((u_j² + 1)/max(p_(j-1)/p_j, 0.001) - 1), p_j = sin²(pi/2 j/(1.008 M)); step M - 1 - j has the level u_j.</summary>
    public static TableSchedule ImprovedDdpm(int steps)
    {
        double Product(int j) => Math.Pow(Math.Sin(Math.PI / 2 * j / (steps * 1.008)), 2);
        var levels = new (double, double, double)[steps];
        for (var (j, u) = (steps, 0.0); j > 0; j--)
        {
            u = Math.Sqrt((((u * u) + 1) / Math.Max(Product(j - 1) / Product(j), 1 - LargestBeta)) - 1);
            levels[steps - j] = (steps - j, 1 / Math.Sqrt(1 + (u * u)), u / Math.Sqrt(1 + (u * u)));
        }
        return new TableSchedule(levels, "iddpm");
    }

    private static double Between(int i, int steps, double first, double last) => first + ((last - first) * i / Math.Max(1, steps - 1));

    private static TableSchedule OfBetas(IEnumerable<double> betas, string what)
    {
        var product = 1.0;
        return TableSchedule.OfAlphasCumprod(betas.Select(beta => product *= 1 - beta), what);
    }
}
