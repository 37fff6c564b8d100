using System.Text.Json.Serialization;

namespace OnnxDistill.Methods;

/// <summary>Where a method's density ratio rho = q/p comes from.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RatioSource>))]
public enum RatioSource
{
    /// <summary>exp of the discriminator's logit, within ±10: of real data to student, standing in for the teacher.</summary>
    [JsonStringEnumMemberName("discriminator")]
    Discriminator,
    /// <summary>The teacher's density, which an exact mixture tells, over the student's: its own where the fake score tells it, else the mean over the batch's other samples.</summary>
    [JsonStringEnumMemberName("exact")]
    Exact,
}
