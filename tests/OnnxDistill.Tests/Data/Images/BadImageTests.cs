using OnnxDistill.Data.Images;
using OnnxDistill.Graph;

namespace OnnxDistill.Tests.Data.Images;

/// <summary>Every mistake of the table is one error to act on.</summary>
[TestClass]
public sealed class BadImageTests
{
    public static IEnumerable<object[]> Names => BadImageCases.All.Select(static c => new object[] { c.Name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void AWrongSetIsRefusedInWordsToActOn(string name)
    {
        using var files = new TestFiles();
        var bad = BadImageCases.All.Single(c => c.Name == name);
        var options = bad.Make(files);
        Expect.Error<ModelFileException>(() => ImageSources.Open(options).Dispose(), bad.Words);
    }
}
