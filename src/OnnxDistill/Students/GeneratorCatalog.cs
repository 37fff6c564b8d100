using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Recipes;
using OnnxDistill.Teachers;

namespace OnnxDistill.Students;

/// <summary>The built-in generators by name: one line a generator, in alphabetical order.</summary>
public static class GeneratorCatalog
{
    private const string KindKey = "kind";

    private static readonly SortedDictionary<string, IGeneratorKind> Kinds = new(StringComparer.Ordinal)
    {
        ["dcgan"] = new Kind<DcGanOptions>("after DCGAN, Radford et al. 2016, arXiv 1511.06434; for images", DcGan.Build),
        ["particles"] = new Kind<ParticlesOptions>("the free samples of DreamFusion and ProlificDreamer, arXiv 2209.14988 and 2305.16213", Particles.Build),
    };

    private interface IGeneratorKind
    {
        string Paper { get; }

        object Read(JsonObject options);

        Value Build(object options, GraphBuilder builder, Value? label, TeacherCard card, long[] dataShape);
    }

    /// <summary>The names.</summary>
    public static IReadOnlyCollection<string> Names => Kinds.Keys;

    /// <summary>Which generator it is and where it was published.</summary>
    /// <exception cref="KeyNotFoundException">There is no generator of that name.</exception>
    public static string Paper(string name) => Kinds[name].Paper;

    /// <summary>A recipe's generator settings with every default written out.</summary>
    /// <exception cref="RecipeException">No such generator, or its options are wrong.</exception>
    public static JsonObject Resolve(JsonObject generator)
    {
        var (name, kind) = Find(generator);
        var resolved = new JsonObject { [KindKey] = name };
        foreach (var (key, value) in JsonSerializer.SerializeToNode(kind.Read(Options(generator)), RecipeJson.Options)!.AsObject().ToList())
            resolved[key] = value?.DeepClone();
        return resolved;
    }

    /// <summary>The generator with freshly drawn weights.</summary>
    /// <param name="generator">A recipe's generator settings: <c>kind</c> and the kind's own options.</param>
    /// <param name="card">The teacher's card, or the data's: classes, sigma_data, kind of samples, licence.</param>
    /// <param name="dataShape">Extents of one sample.</param>
    /// <exception cref="RecipeException">No such generator, its options are wrong, or it does not make such samples.</exception>
    public static Generator Build(JsonObject generator, TeacherCard card, params long[] dataShape)
    {
        var (name, kind) = Find(generator);
        var b = new GraphBuilder(name);
        var label = card.IsConditional ? b.Input(Denoiser.Label, ElementType.Int64, Shape.Of(Dim.Named(FreeBatch.Symbol))) : null;
        try
        {
            b.Output(card.Data == "image" ? "image" : "points", kind.Build(kind.Read(Options(generator)), b, label, card, dataShape));
        }
        catch (ArgumentException error)
        {
            throw new RecipeException($"generator: {error.Message}", error);
        }
        var model = new OnnxModel(b.Graph) { Description = $"{name} of OnnxDistill" };
        model.Metadata[Generator.KindKey] = Generator.Kind;
        model.Metadata[Generator.DataKey] = card.Data;
        model.Metadata[Generator.LabelsKey] = card.Labels.ToString(CultureInfo.InvariantCulture);
        model.Metadata[Generator.LicenceKey] = card.Licence;
        return new Generator(model, $"the {name}");
    }

    private static (string Name, IGeneratorKind Kind) Find(JsonObject generator) =>
        generator[KindKey] is JsonValue value && value.TryGetValue<string>(out var name) && Kinds.TryGetValue(name, out var kind) ? (name, kind)
        : throw new RecipeException($"generator.kind: found {generator[KindKey]?.ToJsonString() ?? "nothing"}, expected one of {string.Join(", ", Names)}.");

    private static JsonObject Options(JsonObject generator)
    {
        var options = (JsonObject)generator.DeepClone();
        options.Remove(KindKey);
        return options;
    }

    private sealed class Kind<T>(string paper, Func<T, GraphBuilder, Value?, TeacherCard, long[], Value> build) : IGeneratorKind where T : notnull
    {
        public string Paper => paper;

        public object Read(JsonObject options) => RecipeJson.Read<T>(options, "generator");

        public Value Build(object options, GraphBuilder builder, Value? label, TeacherCard card, long[] dataShape) => build((T)options, builder, label, card, dataShape);
    }
}
