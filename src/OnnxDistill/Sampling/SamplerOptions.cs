using System.Globalization;
using OnnxDistill.Sampling.Levels;
using OnnxDistill.Sampling.Solvers;

namespace OnnxDistill.Sampling;

/// <summary>How a teacher is sampled: a solver on a grid of noise levels, with noise on the way if asked for.</summary>
public sealed record SamplerOptions
{
    /// <summary>Name of the solver, see <see cref="SolverCatalog"/>.</summary>
    public string Solver { get; init; } = "heun";

    /// <summary>Name of the grid of noise levels, see <see cref="LevelCatalog"/>; empty for the solver's usual one.</summary>
    public string Levels { get; init; } = "";

    /// <summary>Steps from noise to data.</summary>
    public int Steps { get; init; } = 18;

    /// <summary>Noise added before each step, any solver (Karras et al. 2022, arXiv 2206.00364, algorithm 2, S_churn): a level grows by the factor
    /// 1 + min(churn / steps, sqrt(2) - 1). 0 for none.</summary>
    public double Churn { get; init; }

    /// <summary>Smallest level at which churn is added (S_min), in the data's units.</summary>
    public double ChurnMin { get; init; }

    /// <summary>Largest level at which churn is added (S_max), in the data's units.</summary>
    public double ChurnMax { get; init; } = double.PositiveInfinity;

    /// <summary>Standard deviation of the noise that churn adds (S_noise), 1 for what the level says.</summary>
    public double ChurnNoise { get; init; } = 1;

    /// <summary>Fresh noise of DDIM's steps: 0 for none, 1 for as much as DDPM's ancestral sampling (Song et al. 2021, arXiv 2010.02502, eta).</summary>
    public double Eta { get; init; }

    /// <summary>Classifier-free guidance S: D_null + S (D_class - D_null) (Ho and Salimans 2022, arXiv 2207.12598, w = S - 1); 1 for none.</summary>
    public double Guidance { get; init; } = 1;

    /// <summary>Refuses values that mean nothing, all in one message.</summary>
    /// <exception cref="ArgumentException">There are such.</exception>
    public void Require()
    {
        var wrong = new List<string>();
        void Expect(bool holds, string name, IFormattable found, string expected)
        {
            if (!holds)
                wrong.Add(string.Create(CultureInfo.InvariantCulture, $"{name}: found {found}, expected {expected}."));
        }
        Expect(Steps >= 1, "steps", Steps, "at least 1; 18 is usual");
        Expect(Churn >= 0 && double.IsFinite(Churn), "churn", Churn, "0 or more");
        Expect(ChurnMin >= 0, "churn-min", ChurnMin, "a noise level, 0 or more");
        Expect(ChurnMax >= ChurnMin, "churn-max", ChurnMax, "at least churn-min");
        Expect(ChurnNoise > 0 && double.IsFinite(ChurnNoise), "churn-noise", ChurnNoise, "a factor over 0");
        Expect(Eta is >= 0 and <= 1, "eta", Eta, "0 to 1");
        Expect(double.IsFinite(Guidance), "guidance", Guidance, "a number; 1 for none");
        if (SolverCatalog.Find(Solver) is not { } solver)
            wrong.Add($"sampler: found '{Solver}', expected one of {string.Join(", ", SolverCatalog.Names)}.");
        else if (Eta > 0 && !solver.TakesEta)
            wrong.Add(string.Create(CultureInfo.InvariantCulture, $"eta: found {Eta} with the sampler '{Solver}', which adds no noise of its own; 'ddim' does."));
        if (Levels.Length > 0 && LevelCatalog.Find(Levels) is null)
            wrong.Add($"levels: found '{Levels}', expected one of {string.Join(", ", LevelCatalog.Names)}.");
        if (wrong.Count > 0)
            throw new ArgumentException(string.Join(Environment.NewLine, wrong));
    }
}
