using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers;

/// <summary>Which input and output of a raw network is what, as told or as names, types and ranks suggest.</summary>
/// <param name="Sample">The noisy sample.</param>
/// <param name="Time">The time or noise level.</param>
/// <param name="Label">The class, or null.</param>
/// <param name="Output">What it predicts, or null where several outputs could be that.</param>
/// <param name="Others">Inputs beside these: they have to be constant.</param>
public sealed record InputRoles(Value? Sample, Value? Time, Value? Label, Value? Output, IReadOnlyList<Value> Others)
{
    private static readonly string[] SampleNames = ["sample", "noisy_sample", "noisy", "x", "xt", "x_t", "zt", "z_t", "z", "state", "latent", "latents", "latent_model_input", "hidden_states", "input"];
    private static readonly string[] TimeNames = ["t", "time", "times", "timestep", "timesteps", "sigma", "sigmas", "noise_labels", "noise_level", "noise_levels", "c_noise", "step"];
    private static readonly string[] LabelNames = ["y", "label", "labels", "class_labels", "class_label", "class", "classes", "cond", "class_id", "class_ids"];

    /// <summary>Guesses what is not told.</summary>
    /// <exception cref="TeacherMismatchException">A name that was told is none of the graph's.</exception>
    public static InputRoles Guess(OnnxGraph graph, ImportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        options ??= new ImportOptions();
        foreach (var name in options.Constants.Keys)
            Named(graph.Inputs, name, "input");
        var free = graph.Inputs.Where(i => !options.Constants.ContainsKey(i.Name)).ToList();
        Value? Take(string told, Func<Value?> guess)
        {
            var found = told.Length > 0 ? Named(graph.Inputs, told, "input") : guess();
            if (found is not null)
                free.Remove(found);
            return found;
        }
        // What is told is nobody else's.
        free.RemoveAll(i => i.Name == options.SampleInput || i.Name == options.TimeInput || i.Name == options.LabelInput);
        var sample = Take(options.SampleInput, () => ByName(free.Where(i => Rank(i) >= 2 && i.Type.IsFloating()), SampleNames) is { } named
            && !free.Exists(i => i.Type.IsFloating() && Rank(i) > Rank(named) && Rank(i) == 4) ? named : free.Where(i => i.Type.IsFloating() && Rank(i) >= 2).MaxBy(Rank));
        var time = Take(options.TimeInput, () => ByName(free.Where(IsOneNumber), TimeNames)
            ?? free.Find(i => i.Type.IsFloating() && IsOneNumber(i) && !LabelNames.Contains(i.Name)) ?? (free.Count(IsInteger) > 1 || options.Labels == 0 ? free.Find(i => IsInteger(i) && !LabelNames.Contains(i.Name)) : null));
        var label = Take(options.LabelInput, () => ByName(free.Where(i => IsInteger(i) || IsRow(i, options)), LabelNames)
            ?? free.Find(IsInteger) ?? free.Find(i => IsRow(i, options)));
        return new InputRoles(sample, time, label, OutputOf(graph, options, sample), free);
    }

    /// <summary>Whether an input of zeros stands for its absence: EDM's augmentation labels.</summary>
    internal static bool MeansNothingAtZero(Value input) => input.Type.IsFloating() && input.Name.Contains("aug", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the type is a whole number's.</summary>
    internal static bool IsInteger(Value input) => input.Type is ElementType.Int64 or ElementType.Int32;

    private static Value? OutputOf(OnnxGraph graph, ImportOptions options, Value? sample)
    {
        if (options.Output.Length > 0)
            return Named(graph.Outputs, options.Output, "output");
        if (graph.Outputs.Count == 1)
            return graph.Outputs[0];
        var fitting = graph.Outputs.Where(o => o.KnownShape is { } shape && sample?.KnownShape is { } expected && shape.Skip(1).SequenceEqual(expected.Skip(1))).ToList();
        return fitting.Count == 1 ? fitting[0] : null;
    }

    private static Value Named(List<Value> values, string name, string kind) => values.Find(i => i.Name == name)
        ?? throw new TeacherMismatchException($"The model has no {kind} '{name}'. It has: {string.Join(", ", values)}.");

    private static Value? ByName(IEnumerable<Value> values, string[] names)
    {
        var candidates = values.ToList();
        return names.Select(name => candidates.Find(v => string.Equals(v.Name, name, StringComparison.OrdinalIgnoreCase))).FirstOrDefault(static v => v is not null);
    }

    private static int Rank(Value value) => value.KnownShape?.Rank ?? -1;

    private static bool IsOneNumber(Value value) => (value.Type.IsFloating() || IsInteger(value)) && value.KnownShape is { } shape
        && (shape.Rank <= 1 || (shape.Rank == 2 && shape[1] is { IsKnown: true, Size: 1 }));

    // A one-hot row, or an embedding of the class that a table gives.
    private static bool IsRow(Value value, ImportOptions options) => value.Type.IsFloating() && !MeansNothingAtZero(value) && value.KnownShape is { Rank: >= 2 } shape
        && (options.ClassTable.Length > 0 || (options.Labels > 0 && shape.Rank == 2 && shape[1].IsKnown && shape[1].Size == options.Labels) || LabelNames.Contains(value.Name));
}
