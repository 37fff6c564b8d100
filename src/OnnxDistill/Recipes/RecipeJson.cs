using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace OnnxDistill.Recipes;

/// <summary>How recipes become JSON and back: camel case, comments allowed, unknown keys refused, ranges checked.</summary>
public static class RecipeJson
{
    /// <summary>Settings shared by recipes, resolved options and state files.</summary>
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new NumberListConverter() },
    };

    /// <summary>How JSON text is read; a key that is there twice is an error, because one of the two would be ignored.</summary>
    internal static JsonDocumentOptions DocumentOptions { get; } = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
    };

    /// <summary>Reads a record out of JSON and checks every key, type and range.</summary>
    /// <param name="json">The object.</param>
    /// <param name="where">What error messages call it.</param>
    /// <exception cref="RecipeException">An unknown key, a wrong type or a value out of range; all that were found.</exception>
    public static T Read<T>(JsonObject json, string where)
    {
        var problems = RecipeCheck.Problems(json, typeof(T), where);
        return problems.Count == 0 ? json.Deserialize<T>(Options)! : throw new RecipeException(string.Join('\n', problems));
    }

    /// <summary>Puts one object's members over another's, objects member by member.</summary>
    public static JsonObject Merge(JsonObject below, JsonObject above)
    {
        var result = (JsonObject)below.DeepClone();
        foreach (var (key, value) in above)
        {
            result[key] = value is JsonObject inner && result[key] is JsonObject existing ? Merge(existing, inner) : value?.DeepClone();
        }
        return result;
    }

    /// <summary>Sets a dotted path, <c>training.batch=64</c>; the value is JSON, or text when it is not.</summary>
    /// <exception cref="RecipeException">The assignment has no equals sign, or the path runs through something that is no object.</exception>
    public static void Set(JsonObject target, string assignment)
    {
        var equals = assignment.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
            throw new RecipeException($"--set {assignment}: expected key.path=value, for instance training.batch=64.");
        var path = assignment[..equals].Split('.');
        var node = target;
        foreach (var part in path[..^1])
        {
            node[part] ??= new JsonObject();
            node = node[part] as JsonObject ?? throw new RecipeException($"--set {assignment}: '{part}' is a value, not a group of settings.");
        }
        node[path[^1]] = ParseValue(assignment[(equals + 1)..]);
    }

    private static JsonNode? ParseValue(string text)
    {
        try
        {
            return JsonNode.Parse(text, null, DocumentOptions);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
