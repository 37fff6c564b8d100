using System.Reflection;

namespace OnnxDistill.Tests.Repository;

/// <summary>What other people's code can see is written down, so that a change of it shows in review.</summary>
[TestClass]
public sealed class PublicApiTests
{
    [TestMethod]
    [DataRow("OnnxDistill.Graph")]
    [DataRow("OnnxDistill.Runtime")]
    [DataRow("OnnxDistill")]
    [DataRow("OnnxDistill.Cli")]
    public void ThePublicApiIsTheOneWrittenDown(string project) =>
        GeneratedText.RequireFile(RepositoryRoot.Of("tests", "OnnxDistill.Tests", "Repository", "PublicApi", $"{project}.txt"), ApiListing.Of(Assembly.Load(project)));
}
