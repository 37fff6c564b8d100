using System.Text.Json.Nodes;
using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Methods;

/// <summary>Published settings by name: where they lie between defaults and file, and that every one is its method's.</summary>
[TestClass]
public sealed class NamedPresetTests
{
    public static IEnumerable<object[]> Names => NamedPresets.Names.Select(n => new object[] { n });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void APresetAloneIsARecipeOfItsMethod(string name)
    {
        var loaded = Resolve($$"""{ "preset": "{{name}}" }""");
        var file = NamedPresets.Read(name);
        Assert.AreEqual(file["method"]!.GetValue<string>(), loaded.Method.Name);
        StringAssert.StartsWith(name, loaded.Method.Name);
        // Every number of the file is in force.
        AssertHolds(file, RecipeLoader.ToJson(loaded.Recipe), name);
    }

    [TestMethod]
    public void TheListIsTheFolder()
    {
        var files = Directory.GetFiles(RepositoryRoot.Of("src", "OnnxDistill", "Methods", "Presets"), "*.json").Select(p => Path.GetFileNameWithoutExtension(p)).Order(StringComparer.Ordinal).ToArray();
        CollectionAssert.AreEqual(files, NamedPresets.Names.ToArray());
        foreach (var file in files)
            StringAssert.StartsWith(File.ReadAllText(RepositoryRoot.Of("src", "OnnxDistill", "Methods", "Presets", $"{file}.json")), "//", "a preset says where it is from");
    }

    [TestMethod]
    public void APresetLiesOverItsMethodsAndUnderTheFileAndTheCommandLine()
    {
        const string text = """{ "preset": "sid-afhqv2", "options": { "lossScale": 1 }, "training": { "batch": 8 } }""";
        var recipe = Resolve(text, "training.optimizer.learningRate=0.25").Recipe;
        Assert.AreEqual("sid-afhqv2", recipe.Preset);
        Assert.AreEqual("""{"alpha":1,"lossScale":1}""", new JsonObject { ["alpha"] = recipe.Options["alpha"]!.DeepClone(), ["lossScale"] = recipe.Options["lossScale"]!.DeepClone() }.ToJsonString());
        Assert.AreEqual((8, 500_000_000L), (recipe.Training.Batch, recipe.Training.Images));
        Assert.AreEqual((0.25, 1e-6, 0.0), (recipe.Training.Optimizer.LearningRate, recipe.Training.Optimizer.Epsilon, recipe.Training.Optimizer.Beta1));
        // Without it the method's own preset counts.
        Assert.AreEqual((1.2, 1e-5), (Resolve("""{ "method": "sid" }""").Recipe.Options["alpha"]!.GetValue<double>(), Resolve("""{ "method": "sid" }""").Recipe.Training.Optimizer.LearningRate));
    }

    [TestMethod]
    public void WhatARunSavesIsTheSameRecipeAgain()
    {
        var saved = RecipeLoader.ToJson(Resolve("""{ "preset": "sid-ffhq64", "training": { "batch": 8 } }""").Recipe);
        Assert.IsTrue(JsonNode.DeepEquals(saved, RecipeLoader.ToJson(RecipeLoader.Resolve(saved, ".", "saved", []).Recipe)));
    }

    [TestMethod]
    [DataRow("""{ "preset": "sid-cifar" }""", "found 'sid-cifar', expected one of diff-instruct-cifar10-uncond, ")]
    [DataRow("""{ "preset": "sid-ffhq64", "method": "sida" }""", "'sid-ffhq64' is of the method \"sid\", found \"sida\"")]
    [DataRow("""{ "preset": 3 }""", "preset: found 3, expected text")]
    public void AnUnknownPresetOrOneOfAnotherMethodIsRefused(string text, string words) => Expect.Error<RecipeException>(() => Resolve(text), words);

    private static LoadedRecipe Resolve(string text, params string[] settings) => RecipeLoader.Resolve(RecipeLoader.Parse(text, "the text"), ".", "test", settings);

    private static void AssertHolds(JsonNode? expected, JsonNode? found, string path)
    {
        if (expected is JsonObject group)
        {
            foreach (var (key, value) in group)
                AssertHolds(value, found?[key], $"{path}.{key}");
        }
        else if (expected is JsonValue value && value.TryGetValue<double>(out var number))
        {
            Assert.AreEqual(number, found!.GetValue<double>(), path);
        }
        else
        {
            Assert.IsTrue(JsonNode.DeepEquals(expected, found), $"{path} is {found?.ToJsonString() ?? "absent"}");
        }
    }
}
