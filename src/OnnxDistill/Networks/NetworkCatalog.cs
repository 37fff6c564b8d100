using System.Text.Json;
using System.Text.Json.Nodes;
using OnnxDistill.Recipes;
using OnnxDistill.Teachers;

namespace OnnxDistill.Networks;

/// <summary>The built-in networks by name: one line a network, in alphabetical order.</summary>
public static class NetworkCatalog
{
    private const string KindKey = "kind";

    private static readonly SortedDictionary<string, INetworkKind> Kinds = new(StringComparer.Ordinal)
    {
        ["dhariwal-unet"] = new Kind<DhariwalUNetOptions>("ADM of Dhariwal and Nichol 2021, arXiv 2105.05233", DhariwalUNet.Build),
        ["dit"] = new Kind<DitOptions>("DiT of Peebles and Xie 2023, arXiv 2212.09748", Dit.Build),
        ["mlp"] = new Kind<MlpOptions>("that of VarDiU, arXiv 2508.20646, for points", Mlp.Build),
        ["song-unet"] = new Kind<SongUNetOptions>("DDPM++ and NCSN++ of Song et al. 2021, arXiv 2011.13456", SongUNet.Build),
    };

    private interface INetworkKind
    {
        string Paper { get; }

        object Read(JsonObject options);

        Denoiser Build(object options, TeacherCard card, long[] dataShape);
    }

    /// <summary>The names.</summary>
    public static IReadOnlyCollection<string> Names => Kinds.Keys;

    /// <summary>Which network it is and where it was published.</summary>
    /// <exception cref="KeyNotFoundException">There is no network of that name.</exception>
    public static string Paper(string name) => Kinds[name].Paper;

    /// <summary>A recipe's network settings with every default written out.</summary>
    /// <exception cref="RecipeException">No such network, or its options are wrong.</exception>
    public static JsonObject Resolve(JsonObject network)
    {
        var (name, kind) = Find(network);
        var resolved = new JsonObject { [KindKey] = name };
        foreach (var (key, value) in JsonSerializer.SerializeToNode(kind.Read(Options(network)), RecipeJson.Options)!.AsObject().ToList())
            resolved[key] = value?.DeepClone();
        return resolved;
    }

    /// <summary>The network with freshly drawn weights.</summary>
    /// <param name="network">A recipe's network settings: <c>kind</c> and the kind's own options.</param>
    /// <param name="card">What it will denoise.</param>
    /// <param name="dataShape">Extents of one sample.</param>
    /// <exception cref="RecipeException">No such network, its options are wrong, or it does not take such samples.</exception>
    public static Denoiser Build(JsonObject network, TeacherCard card, params long[] dataShape)
    {
        var (_, kind) = Find(network);
        try
        {
            return kind.Build(kind.Read(Options(network)), card, dataShape);
        }
        catch (ArgumentException error)
        {
            throw new RecipeException($"network: {error.Message}", error);
        }
    }

    private static (string Name, INetworkKind Kind) Find(JsonObject network) =>
        network[KindKey] is JsonValue value && value.TryGetValue<string>(out var name) && Kinds.TryGetValue(name, out var kind) ? (name, kind)
        : throw new RecipeException($"network.kind: found {network[KindKey]?.ToJsonString() ?? "nothing"}, expected one of {string.Join(", ", Names)}.");

    private static JsonObject Options(JsonObject network)
    {
        var options = (JsonObject)network.DeepClone();
        options.Remove(KindKey);
        return options;
    }

    private sealed class Kind<T>(string paper, Func<T, TeacherCard, long[], Denoiser> build) : INetworkKind where T : notnull
    {
        public string Paper => paper;

        public object Read(JsonObject options) => RecipeJson.Read<T>(options, "network");

        public Denoiser Build(object options, TeacherCard card, long[] dataShape) => build((T)options, card, dataShape);
    }
}
