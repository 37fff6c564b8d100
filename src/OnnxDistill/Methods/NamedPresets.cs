using System.Text;
using System.Text.Json.Nodes;
using OnnxDistill.Recipes;

namespace OnnxDistill.Methods;

/// <summary>Published settings by name, for people with the hardware: a line here and a file in Presets each, in alphabetical order. A file is a part of a recipe, its
/// method included, and says where its numbers are from and which are not confirmed.</summary>
public static class NamedPresets
{
    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "diff-instruct-cifar10-uncond",
        "dmd-cifar10-cond",
        "dmd2-cifar10",
        "dmd2-imagenet64",
        "dmd2-imagenet64-long",
        "f-distill-cifar10",
        "f-distill-imagenet64",
        "sid-afhqv2",
        "sid-cifar10-cond",
        "sid-cifar10-uncond",
        "sid-ffhq64",
        "sid-imagenet64",
        "sida-afhqv2",
        "sida-cifar10-cond",
        "sida-cifar10-uncond",
        "sida-ffhq64",
        "sida-imagenet64",
        "uni-instruct-cifar10-fkl",
        "uni-instruct-cifar10-jkl",
        "uni-instruct-cifar10-rkl",
        "uni-instruct-imagenet64-fkl",
        "uni-instruct-imagenet64-jkl",
        "uni-instruct-imagenet64-rkl",
        "vardiu-forty",
    ];

    /// <summary>The part of a recipe of that name.</summary>
    /// <exception cref="RecipeException">There is none.</exception>
    public static JsonObject Read(string name)
    {
        if (!Names.Contains(name))
            throw new RecipeException($"preset: found '{name}', expected one of {string.Join(", ", Names)}.");
        using var stream = typeof(NamedPresets).Assembly.GetManifestResourceStream($"OnnxDistill.Methods.Presets.{name}.json")!; // a test reads every one
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return RecipeLoader.Parse(reader.ReadToEnd(), $"the preset '{name}'");
    }
}
