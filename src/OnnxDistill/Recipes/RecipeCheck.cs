using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace OnnxDistill.Recipes;

/// <summary>Finds everything wrong with a recipe at once: unknown keys (with the nearest known one), wrong types, values out of range.</summary>
internal static class RecipeCheck
{
    private static readonly JsonSerializerOptions Compact = new(RecipeJson.Options) { WriteIndented = false };

    /// <summary>Every problem of a JSON object that is to become a record, each with its path.</summary>
    public static List<string> Problems(JsonObject json, Type type, string where)
    {
        var problems = new List<string>();
        var properties = Properties(type);
        foreach (var (key, value) in json)
        {
            var path = where.Length == 0 ? key : $"{where}.{key}";
            if (properties.TryGetValue(key, out var property))
                problems.AddRange(OfValue(value, property, path));
            else
                problems.Add($"{path}: unknown key. Did you mean '{properties.Keys.MinBy(known => Distance(key, known))}'? Known here: {string.Join(", ", properties.Keys)}.");
        }
        foreach (var (key, property) in properties)
        {
            if (!json.ContainsKey(key) && property.GetCustomAttribute<RequiredAttribute>() is not null)
                problems.Add($"{(where.Length == 0 ? key : $"{where}.{key}")}: found nothing, expected a value.");
        }
        // Rules between members can only be asked of a record that can be read.
        if (problems.Count == 0 && typeof(IValidatableObject).IsAssignableFrom(type) && json.Deserialize(type, RecipeJson.Options) is IValidatableObject record)
            problems.AddRange(record.Validate(new ValidationContext(record)).Select(r => where.Length == 0 ? r.ErrorMessage! : $"{where}: {r.ErrorMessage}"));
        return problems;
    }

    private static IEnumerable<string> OfValue(JsonNode? value, PropertyInfo property, string path)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (value is null)
            return IsNullable(property) ? [] : [$"{path}: found null, expected {Expected(type)}."];
        if (type == typeof(JsonObject))
            return value is JsonObject ? [] : [Wrong(value, type, path)];
        if (IsDictionary(type))
        {
            return value is not JsonObject entries ? [Wrong(value, type, path)]
                : entries.SelectMany(e => OfRecord(e.Value, type.GetGenericArguments()[1], $"{path}.{e.Key}"));
        }
        if (type.IsArray && IsRecord(type.GetElementType()!) && value is JsonArray list)
        {
            var entries = list.SelectMany((entry, i) => OfRecord(entry, type.GetElementType()!, $"{path}[{i.ToString(CultureInfo.InvariantCulture)}]")).ToList();
            return entries.Count > 0 ? entries : OfLeaf(value, property, path);
        }
        return IsRecord(type) ? OfRecord(value, type, path) : OfLeaf(value, property, path);
    }

    private static List<string> OfRecord(JsonNode? value, Type type, string path) =>
        value is JsonObject inner ? Problems(inner, type, path) : [Wrong(value, type, path)];

    private static IEnumerable<string> OfLeaf(JsonNode value, PropertyInfo property, string path)
    {
        object? member;
        try
        {
            member = value.Deserialize(property.PropertyType, RecipeJson.Options);
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException)
        {
            return [Wrong(value, property.PropertyType, path)];
        }
        if (member is IEnumerable<object?> list && list.Contains(null))
            return [Wrong(value, property.PropertyType, path)];
        return property.GetCustomAttributes<ValidationAttribute>().Where(rule => !rule.IsValid(member))
            .Select(rule => $"{path}: found {Show(member)}, expected {Expected(rule)}.");
    }

    private static string Wrong(JsonNode? value, Type type, string path) => $"{path}: found {value?.ToJsonString(Compact) ?? "null"}, expected {Expected(type)}.";

    private static SortedDictionary<string, PropertyInfo> Properties(Type type)
    {
        var properties = new SortedDictionary<string, PropertyInfo>(StringComparer.Ordinal);
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite && p.GetIndexParameters().Length == 0))
            properties[JsonNamingPolicy.CamelCase.ConvertName(property.Name)] = property;
        return properties;
    }

    private static bool IsNullable(PropertyInfo property) => new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;

    private static bool IsDictionary(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Dictionary<,>);

    private static bool IsRecord(Type type) => type is { IsClass: true, IsArray: false } && type.Namespace?.StartsWith(nameof(OnnxDistill), StringComparison.Ordinal) == true;

    private static string Expected(Type type)
    {
        if (type.IsEnum)
            return $"one of {string.Join(", ", type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => f.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? f.Name))}";
        if (type.IsArray)
            return $"a list [ ... ], each entry {Expected(type.GetElementType()!)}";
        return Type.GetTypeCode(type) switch
        {
            TypeCode.String => "text",
            TypeCode.Boolean => "true or false",
            TypeCode.Int32 => "a whole number up to 2147483647",
            TypeCode.Int64 => "a whole number, written without point or exponent",
            TypeCode.Double => "a number",
            _ => "a group of settings { ... }",
        };
    }

    private static string Expected(ValidationAttribute rule) => rule switch
    {
        RangeAttribute range => string.Create(CultureInfo.InvariantCulture, $"{range.Minimum} to {range.Maximum}"),
        RequiredAttribute => "a value",
        AllowedValuesAttribute allowed => $"one of {string.Join(", ", allowed.Values)}",
        MinLengthAttribute length => string.Create(CultureInfo.InvariantCulture, $"at least {length.Length} entries"),
        _ => rule.FormatErrorMessage("value"),
    };

    private static string Show(object? value) => value switch
    {
        null or "" => "nothing",
        string text => $"'{text}'",
        ICollection list => string.Create(CultureInfo.InvariantCulture, $"{list.Count} entries"),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "nothing",
    };

    // Levenshtein's distance, for the suggestion.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1));
                diagonal = above;
            }
        }
        return row[^1];
    }
}
