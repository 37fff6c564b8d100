using System.Text.Json.Nodes;
using OnnxDistill.Recipes;

namespace OnnxDistill.Methods;

/// <summary>Every method by name: one line a method, in alphabetical order.</summary>
public static class DistillationMethods
{
    private static readonly SortedDictionary<string, Func<JsonObject, IDistillationMethod>> Factories = new(StringComparer.Ordinal)
    {
        [DenoisingScoreMatching.MethodName] = static o => new DenoisingScoreMatching(RecipeJson.Read<DenoisingScoreMatchingOptions>(o, "options")),
        ["diff-instruct"] = static o => new DiffInstruct(RecipeJson.Read<DiffInstructOptions>(o, "options")),
        ["dmd"] = static o => new Dmd(RecipeJson.Read<DmdOptions>(o, "options")),
        ["dmd2"] = static o => new Dmd2(RecipeJson.Read<Dmd2Options>(o, "options")),
        ["f-distill"] = static o => new FDistill(RecipeJson.Read<FDistillOptions>(o, "options")),
        ["gan"] = static o => new Gan(RecipeJson.Read<GanOptions>(o, "options")),
        ["sds"] = static o => new Sds(RecipeJson.Read<SdsOptions>(o, "options")),
        ["sid"] = static o => new Sid(RecipeJson.Read<SidOptions>(o, "options")),
        ["sida"] = static o => new SidA(RecipeJson.Read<SidAOptions>(o, "options")),
        ["sim"] = static o => new Sim(RecipeJson.Read<SimOptions>(o, "options")),
        ["uni-instruct"] = static o => new UniInstruct(RecipeJson.Read<UniInstructOptions>(o, "options")),
        ["vardiu"] = static o => new VarDiu(RecipeJson.Read<VarDiuOptions>(o, "options")),
        ["vsd"] = static o => new Vsd(RecipeJson.Read<VsdOptions>(o, "options")),
    };

    /// <summary>The names.</summary>
    public static IReadOnlyCollection<string> Names => Factories.Keys;

    /// <summary>The method of that name with its options.</summary>
    /// <exception cref="RecipeException">No such method, or its options are wrong.</exception>
    public static IDistillationMethod Create(string name, JsonObject options) => Factories.TryGetValue(name, out var factory)
        ? factory(options)
        : throw new RecipeException($"method: found '{name}', expected one of {string.Join(", ", Names)}.");
}
