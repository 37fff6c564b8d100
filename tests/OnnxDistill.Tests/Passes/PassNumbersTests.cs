using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Graph.Tests.Passes;
using OnnxDistill.Tests.Io;

namespace OnnxDistill.Tests.Passes;

/// <summary>Each row of the passes' table gives the same numbers on ONNX Runtime before and after.</summary>
[TestClass]
public sealed class PassNumbersTests
{
    public static IEnumerable<object[]> Names => PassCases.All.Select(static c => new object[] { c.Name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void ThePassesChangeNoNumbers(string name)
    {
        var @case = PassCases.All.Single(c => c.Name == name);
        var model = @case.Model();
        var random = new Random(11);
        var feeds = model.Graph.Inputs.ToDictionary(static v => v.Name, v => OpsetCase.Random(random, v.Type, v.Shape.Sizes()));
        var before = OrtRuns.Run(OnnxWriter.ToBytes(model), feeds).Single();
        PassPipeline.Final.Run(model.Graph);
        var after = OrtRuns.Run(OnnxWriter.ToBytes(model), feeds).Single();

        Assert.AreEqual((before.Type, before.Shape), (after.Type, after.Shape));
        var (expected, actual) = (before.ToDoubles(), after.ToDoubles());
        var scale = expected.Max();
        Assert.IsGreaterThan(0, scale, "numbers that say something");
        // The row's tolerance: 0 where the same operations run on the same numbers, else a few roundings of the largest number.
        Assert.AreEqual(0, expected.Zip(actual, static (p, q) => Math.Abs(p - q)).Max(), @case.Tolerance * scale);
    }
}
