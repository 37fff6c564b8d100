using System.Text.Json;
using System.Text.Json.Serialization;

namespace OnnxDistill.Recipes;

/// <summary>A number where a list of numbers is expected is a list of one: <c>"mean": 0.5</c> is <c>"mean": [0.5]</c>.</summary>
internal sealed class NumberListConverter : JsonConverter<double[]>
{
    public override double[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number)
            return [reader.GetDouble()];
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new JsonException("Expected a number or a list of numbers.");
        var numbers = new List<double>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            numbers.Add(reader.TokenType == JsonTokenType.Number ? reader.GetDouble() : throw new JsonException("Expected a number."));
        return [.. numbers];
    }

    public override void Write(Utf8JsonWriter writer, double[] value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (var number in value)
            writer.WriteNumberValue(number);
        writer.WriteEndArray();
    }
}
