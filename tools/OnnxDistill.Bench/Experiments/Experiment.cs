using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using OnnxDistill.Recipes;

namespace OnnxDistill.Bench.Experiments;

/// <summary>What curves are drawn against.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Axis>))]
internal enum Axis
{
    /// <summary>Seconds of training.</summary>
    [JsonStringEnumMemberName("seconds")]
    Seconds,
    /// <summary>Samples that the student's step has seen.</summary>
    [JsonStringEnumMemberName("images")]
    Images,
}

/// <summary>A list of runs that are compared: a JSON file, comments allowed.</summary>
internal sealed record Experiment
{
    /// <summary>What stands over the plot and the table.</summary>
    [Required]
    public string Title { get; init; } = "";

    /// <summary>What curves are drawn against.</summary>
    public Axis Against { get; init; }

    /// <summary>Columns of metrics.csv.</summary>
    [MinLength(1)]
    public ExperimentMetric[] Metrics { get; init; } = [];

    /// <summary>Settings of every run, <c>training.seconds=120</c>, over those of its recipe; each run has one thread unless they say otherwise.</summary>
    public string[] Settings { get; init; } = [];

    /// <summary>The runs.</summary>
    [MinLength(1)]
    public ExperimentRun[] Runs { get; init; } = [];

    /// <summary>Reads a list.</summary>
    /// <exception cref="RecipeException">The file is missing or wrong.</exception>
    public static Experiment Load(string path)
    {
        if (!File.Exists(path))
            throw new RecipeException($"The list of runs '{path}' does not exist.");
        var experiment = RecipeJson.Read<Experiment>(RecipeLoader.Parse(File.ReadAllText(path), $"'{path}'"), "");
        if (experiment.Runs.FirstOrDefault(r => (r.Name + r.Group).AsSpan().ContainsAny(",|")) is { } odd)
            throw new RecipeException($"'{path}' has a run '{odd.Title}'; names and groups stand in CSV and Markdown, so leave commas and bars out.");
        return experiment.Runs.GroupBy(r => r.Folder).FirstOrDefault(g => g.Count() > 1) is { } twice
            ? throw new RecipeException($"'{path}' has {twice.Count()} runs '{twice.First().Title}'; give them different names or groups.")
            : experiment;
    }
}

/// <summary>A metric and its panel.</summary>
internal sealed record ExperimentMetric
{
    /// <summary>The column: <c>mmd10k.mmd</c>.</summary>
    public string Name { get; init; } = "";

    /// <summary>What the panel calls it; empty for its name.</summary>
    public string Title { get; init; } = "";

    /// <summary>Whether its axis is logarithmic.</summary>
    public bool Log { get; init; }

    /// <summary>Where its axis begins and ends; null for where its values do.</summary>
    public double? From { get; init; }

    /// <inheritdoc cref="From"/>
    public double? To { get; init; }
}

/// <summary>A run.</summary>
internal sealed record ExperimentRun
{
    /// <summary>The method: its line in the legend.</summary>
    public string Name { get; init; } = "";

    /// <summary>What else tells it apart, such as its teacher: each group has its own panels.</summary>
    public string Group { get; init; } = "";

    /// <summary>The recipe, relative to the list.</summary>
    public string Recipe { get; init; } = "";

    /// <summary>Settings of this run, over the list's.</summary>
    public string[] Settings { get; init; } = [];

    /// <summary>Name and group.</summary>
    [JsonIgnore]
    public string Title => Group.Length == 0 ? Name : $"{Name}, {Group}";

    /// <summary>Its folder's name.</summary>
    [JsonIgnore]
    public string Folder => string.Concat(Title.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '-')).Replace("--", "-", StringComparison.Ordinal);
}
