using System.ComponentModel.DataAnnotations;
using OnnxDistill.Recipes;

namespace OnnxDistill.Tests.Data;

/// <summary>A list of groups of settings is checked entry by entry; the benchmark's lists of runs have them.</summary>
[TestClass]
public sealed class JsonListTests
{
    [TestMethod]
    public void EveryEntryIsReadAndCheckedUnderItsNumber()
    {
        Assert.AreEqual("a, b", string.Join(", ", Read("""{ "entries": [{ "name": "a" }, { "name": "b", "count": 2 }] }""").Entries.Select(e => e.Name)));
        Expect.Error<RecipeException>(() => Read("""{ "entries": [{ "name": "a" }, { "nam": "b", "count": 9 }, 3] }"""),
            "entries[1].nam: unknown key. Did you mean 'name'?", "entries[1].count: found 9, expected 1 to 5", "entries[2]: found 3, expected a group of settings");
        Expect.Error<RecipeException>(() => Read("""{ "entries": [] }"""), "entries: found 0 entries, expected at least 1 entries");
        Expect.Error<RecipeException>(() => Read("""{ "entries": 3 }"""), "entries: found 3, expected a list");
    }

    private static Group Read(string text) => RecipeJson.Read<Group>(RecipeLoader.Parse(text, "the text"), "");

    private sealed record Group
    {
        [MinLength(1)]
        public Entry[] Entries { get; init; } = [];
    }

    private sealed record Entry
    {
        public string Name { get; init; } = "";

        [Range(1, 5)]
        public int Count { get; init; } = 1;
    }
}
