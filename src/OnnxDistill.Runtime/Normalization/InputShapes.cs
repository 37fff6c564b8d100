using OnnxDistill.Graph.Model;

namespace OnnxDistill.Runtime.Normalization;

/// <summary>Decides every input's shape from the file and the options.</summary>
internal static class InputShapes
{
    /// <summary>The inputs with their shapes written in, as new values.</summary>
    /// <exception cref="ArgumentException">The options do not fit the model; all faults at once.</exception>
    public static List<Value> Resolve(OnnxGraph graph, NormalizeOptions options)
    {
        var faults = new List<string>();
        foreach (var name in options.Shapes.Keys.Where(n => !graph.Inputs.Exists(v => v.Name == n)))
            faults.Add($"there is no input '{name}'; there are {string.Join(", ", graph.Inputs.Select(v => v.Name))}");
        var symbols = Symbols(graph, options, faults);
        var inputs = graph.Inputs.ConvertAll(v => new Value(v.Name, v.Type, Resolve(v, options, symbols, faults)));
        return faults.Count == 0 ? inputs
            : throw new ArgumentException($"The shapes asked for do not fit the model '{graph.Name}': {string.Join("; ", faults)}.", nameof(options));
    }

    private static Dictionary<string, long> Symbols(OnnxGraph graph, NormalizeOptions options, List<string> faults)
    {
        var symbols = new Dictionary<string, long>(options.Symbols, StringComparer.Ordinal);
        foreach (var (symbol, size) in options.Symbols.Where(s => !graph.Inputs.Exists(v => v.KnownShape?.Any(d => d.Symbol == s.Key) == true)))
            faults.Add($"no input has an extent named '{symbol}', which should become {size}");
        if (options.Batch is not { } batch)
            return symbols;
        if (batch < 1)
            faults.Add($"the batch has to be at least 1, found {batch}");
        var firsts = graph.Inputs.Where(v => !options.Shapes.ContainsKey(v.Name) && v.KnownShape is { Rank: > 0 }).Select(v => v.Shape[0]).ToList();
        foreach (var symbol in firsts.Select(d => d.Symbol).OfType<string>())
            symbols.TryAdd(symbol, batch);
        if (firsts.Count > 0 && firsts.TrueForAll(d => d.IsKnown && d.Size != batch))
        {
            faults.Add($"a batch of {batch} was asked for, but the file fixes the first extent of every input "
                + $"({string.Join(", ", graph.Inputs)}); give whole shapes if the graph allows another batch");
        }
        return symbols;
    }

    private static Shape? Resolve(Value input, NormalizeOptions options, Dictionary<string, long> symbols, List<string> faults)
    {
        if (options.Shapes.TryGetValue(input.Name, out var sizes))
        {
            if (input.KnownShape is { } declared && declared.Rank != sizes.Length)
                faults.Add($"input '{input.Name}' has the shape {declared} of rank {declared.Rank}, asked for [{string.Join(", ", sizes)}]");
            return Shape.Of(sizes);
        }
        if (input.KnownShape is null)
        {
            faults.Add($"input '{input.Name}' has no shape in the file; give one");
            return null;
        }
        return new Shape(input.KnownShape.Select(d => d.Symbol is { } symbol && symbols.TryGetValue(symbol, out var size) ? size : d));
    }
}
