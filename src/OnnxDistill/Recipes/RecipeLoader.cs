using System.Text.Json;
using System.Text.Json.Nodes;
using OnnxDistill.Data.Images;
using OnnxDistill.Methods;
using OnnxDistill.Networks;
using OnnxDistill.Students;

namespace OnnxDistill.Recipes;

/// <summary>A resolved recipe with its method.</summary>
/// <param name="Recipe">Every setting, paths made absolute.</param>
/// <param name="Method">The method with its options.</param>
/// <param name="Name">The recipe file's name without extension.</param>
public sealed record LoadedRecipe(Recipe Recipe, IDistillationMethod Method, string Name);

/// <summary>Reads recipes: defaults under the method's preset under a named preset under file under command line.</summary>
public static class RecipeLoader
{
    private static readonly string[] TopLevelPaths = ["teacher", "initial", "student"];
    private static readonly string[] DataPaths = ["images", "labels", "mixture"];
    private static readonly string[] EvaluationPaths = ["mixture", "images", "features", "classifier"];

    /// <summary>Reads a recipe file.</summary>
    /// <param name="path">The JSON file; comments are allowed. Paths inside are relative to its folder.</param>
    /// <param name="assignments">Settings of the command line, <c>training.batch=64</c>; their paths are relative to the current folder's recipe too.</param>
    /// <exception cref="RecipeException">Missing file, wrong JSON, unknown key, or value out of range.</exception>
    public static LoadedRecipe Load(string path, IEnumerable<string>? assignments = null)
    {
        if (Directory.Exists(path))
            throw new RecipeException($"The recipe '{path}' is a folder; name the .json file inside it.");
        if (!File.Exists(path))
            throw new RecipeException($"The recipe '{path}' does not exist. Recipes lie in models/<name>/<method>.json.");
        return Resolve(Parse(File.ReadAllText(path), $"'{path}'"), Path.GetDirectoryName(Path.GetFullPath(path))!,
            Path.GetFileNameWithoutExtension(path), assignments ?? []);
    }

    /// <summary>Resolves a recipe that is JSON already, for instance a run's options.json.</summary>
    /// <inheritdoc cref="Load"/>
    public static LoadedRecipe Resolve(JsonObject json, string folder, string name, IEnumerable<string> assignments)
    {
        json = (JsonObject)json.DeepClone();
        foreach (var assignment in assignments)
            RecipeJson.Set(json, assignment);
        AbsolutePath((json["options"] as JsonObject)?["pairs"] as JsonObject, "file", folder);
        AbsolutePath((json["options"] as JsonObject)?["perceptual"] as JsonObject, "model", folder);
        foreach (var key in TopLevelPaths)
            AbsolutePath(json, key, folder);
        foreach (var key in DataPaths)
            AbsolutePath(json["data"] as JsonObject, key, folder);
        foreach (var key in EvaluationPaths)
            AbsolutePath(json["evaluation"] as JsonObject, key, folder);

        var problems = new List<string>();
        json = OverPreset(json, problems);
        var method = Method(json, problems);
        var merged = method is null ? json : RecipeJson.Merge(method.Preset, json);
        problems.AddRange(RecipeCheck.Problems(merged, typeof(Recipe), ""));
        problems.AddRange(UnknownRoles(merged, method));
        ResolveNetwork(merged, "network", NetworkCatalog.Resolve, problems);
        ResolveNetwork(merged, "generator", GeneratorCatalog.Resolve, problems);
        if (method is null || problems.Count > 0)
            throw new RecipeException(string.Join('\n', problems));
        MergeOptimizers(merged);
        merged["options"] = JsonSerializer.SerializeToNode(method.Options, method.Options.GetType(), RecipeJson.Options);
        return new LoadedRecipe(RecipeJson.Read<Recipe>(merged, ""), method, name);
    }

    /// <summary>The resolved recipe as it is saved beside a run.</summary>
    public static JsonObject ToJson(Recipe recipe) => (JsonObject)JsonSerializer.SerializeToNode(recipe, RecipeJson.Options)!;

    internal static JsonObject Parse(string text, string what)
    {
        try
        {
            return JsonNode.Parse(text, null, RecipeJson.DocumentOptions) as JsonObject
                ?? throw new RecipeException($"{what} should hold a JSON object, {{ ... }}.");
        }
        catch (JsonException error)
        {
            var reason = error.Message.IndexOf(" LineNumber:", StringComparison.Ordinal) is > 0 and var end ? error.Message[..end] : error.Message;
            throw new RecipeException($"{what} is not valid JSON at line {error.LineNumber + 1}, column {error.BytePositionInLine + 1}: {reason}", error);
        }
    }

    // A preset's options are its method's, so another method has no use for it.
    private static JsonObject OverPreset(JsonObject json, List<string> problems)
    {
        if (json["preset"] is not JsonValue value || !value.TryGetValue<string>(out var name) || name.Length == 0)
            return json;
        try
        {
            var preset = NamedPresets.Read(name);
            if (json["method"] is { } method && !JsonNode.DeepEquals(method, preset["method"]))
                problems.Add($"preset: '{name}' is of the method {preset["method"]!.ToJsonString()}, found {method.ToJsonString()}. Leave one of the two out.");
            return RecipeJson.Merge(preset, json);
        }
        catch (RecipeException error)
        {
            problems.Add(error.Message);
            return json;
        }
    }

    private static IDistillationMethod? Method(JsonObject json, List<string> problems)
    {
        var known = string.Join(", ", DistillationMethods.Names);
        if (json["method"] is null)
            problems.Add($"method: found nothing, expected one of {known}.");
        // Other types than text and groups are told by the check of the whole recipe.
        if (json["method"] is not JsonValue value || !value.TryGetValue<string>(out var name) || (json["options"] ?? new JsonObject()) is not JsonObject options)
            return null;
        try
        {
            return DistillationMethods.Create(name, options);
        }
        catch (RecipeException error)
        {
            problems.Add(error.Message);
            return null;
        }
    }

    private static void ResolveNetwork(JsonObject merged, string key, Func<JsonObject, JsonObject> resolve, List<string> problems)
    {
        // Other types than groups are told by the check of the whole recipe.
        if (merged[key] is not JsonObject network)
            return;
        try
        {
            merged[key] = resolve(network);
        }
        catch (RecipeException error)
        {
            problems.Add(error.Message);
        }
    }

    // A misspelt role would be ignored without a word.
    private static IEnumerable<string> UnknownRoles(JsonObject merged, IDistillationMethod? method)
    {
        if (method is null || (merged["training"] as JsonObject)?["optimizers"] is not JsonObject roles)
            return [];
        string[] known = [Methods.Roles.Student, .. method.Auxiliaries.Select(a => a.Role)];
        return roles.Where(r => !known.Contains(r.Key))
            .Select(r => $"training.optimizers.{r.Key}: the method '{method.Name}' trains no such network, expected {string.Join(" or ", known)}.");
    }

    // A role's optimizer settings lie over the common ones, key by key.
    private static void MergeOptimizers(JsonObject merged)
    {
        if (merged["training"] is not JsonObject training || training["optimizers"] is not JsonObject roles)
            return;
        var common = training["optimizer"] as JsonObject ?? [];
        foreach (var role in roles.Select(r => r.Key).ToList())
        {
            if (roles[role] is JsonObject own)
                roles[role] = RecipeJson.Merge(common, own);
        }
    }

    private static void AbsolutePath(JsonObject? json, string key, string folder)
    {
        if (json?[key] is JsonValue value && value.TryGetValue<string>(out var path) && path.Length > 0 && (key, path) != ("labels", ImageLabels.Own))
            json[key] = Path.GetFullPath(path, folder);
    }
}
