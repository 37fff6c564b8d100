using System.CommandLine;
using OnnxDistill.Sampling;
using OnnxDistill.Sampling.Levels;
using OnnxDistill.Sampling.Solvers;

namespace OnnxDistill.Cli;

/// <summary>The words that say how a teacher is sampled, the same for every verb that draws samples. A generator makes one step whatever they say.</summary>
internal sealed class SamplerWords
{
    private static readonly SamplerOptions Usual = new();

    private readonly Option<int> _steps = new("--steps") { HelpName = "K", Description = "Steps of the sampler, for teachers.", DefaultValueFactory = _ => Usual.Steps };
    private readonly Option<string> _solver = new("--sampler")
    {
        HelpName = "NAME",
        Description = $"Its solver: {SolverCatalog.Summary}.",
        DefaultValueFactory = _ => Usual.Solver,
    };
    private readonly Option<string?> _levels = new("--levels") { HelpName = "NAME", Description = $"Its grid of noise levels, by default the solver's: {LevelCatalog.Summary}." };
    private readonly Option<double> _guidance = new("--guidance")
    {
        HelpName = "S",
        Description = "Classifier-free guidance D_null + S (D_class - D_null), for teachers with a label for \"no class\"; 1 for none.",
        DefaultValueFactory = _ => Usual.Guidance,
    };
    private readonly Option<double> _churn = new("--churn") { HelpName = "X", Description = "Noise added before each step, EDM's S_churn; 0 for none.", DefaultValueFactory = _ => Usual.Churn };
    private readonly Option<double> _churnMin = new("--churn-min") { HelpName = "SIGMA", Description = "Smallest noise level at which it is added, S_min.", DefaultValueFactory = _ => Usual.ChurnMin };
    private readonly Option<double?> _churnMax = new("--churn-max") { HelpName = "SIGMA", Description = "Largest noise level at which it is added, S_max; without it there is none." };
    private readonly Option<double> _churnNoise = new("--churn-noise") { HelpName = "X", Description = "Its standard deviation, S_noise.", DefaultValueFactory = _ => Usual.ChurnNoise };
    private readonly Option<double> _eta = new("--eta") { HelpName = "X", Description = "Fresh noise in the steps of ddim: 0 for none, 1 for as much as DDPM.", DefaultValueFactory = _ => Usual.Eta };

    /// <summary>The options to list.</summary>
    public IEnumerable<Option> All => [_steps, _solver, _levels, _guidance, _churn, _churnMin, _churnMax, _churnNoise, _eta];

    /// <summary>What was said.</summary>
    /// <exception cref="UsageException">It means nothing.</exception>
    public SamplerOptions Read(ParseResult parsed)
    {
        var options = new SamplerOptions
        {
            Solver = parsed.GetValue(_solver)!,
            Levels = parsed.GetValue(_levels) ?? "",
            Steps = parsed.GetValue(_steps),
            Guidance = parsed.GetValue(_guidance),
            Churn = parsed.GetValue(_churn),
            ChurnMin = parsed.GetValue(_churnMin),
            ChurnMax = parsed.GetValue(_churnMax) ?? Usual.ChurnMax,
            ChurnNoise = parsed.GetValue(_churnNoise),
            Eta = parsed.GetValue(_eta),
        };
        try
        {
            options.Require();
            return options;
        }
        catch (ArgumentException error)
        {
            throw new UsageException(string.Join(Environment.NewLine, error.Message.Split(Environment.NewLine).Select(line => $"--{line}")));
        }
    }
}
