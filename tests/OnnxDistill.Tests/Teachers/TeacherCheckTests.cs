using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Training;

namespace OnnxDistill.Tests.Teachers;

/// <summary>An import with a wrong prediction does not denoise, and the check says so.</summary>
[TestClass]
public sealed class TeacherCheckTests
{
    [TestMethod]
    [DataRow("flow", 0.0)]
    [DataRow("flow", 0.4)]
    [DataRow("denoiser", 0.4)]
    public void TheRightPredictionPasses(string prediction, double mean)
    {
        var check = Run(prediction == "flow" ? RawNetworks.Flow(mean, 0.5) : RawNetworks.Denoiser(mean, 0.5), prediction);
        // At sigma = sigma_data the exact posterior halves the mean squared error.
        Assert.IsGreaterThan(1.5, check.MiddleGain);
        Assert.AreEqual(1, check.SmallestShift, 1.5);
    }

    [TestMethod]
    public void AMixturePasses()
    {
        var check = TeacherCheck.Run(MixtureTeacher.Build(Toys.TwoModes), "mixture", "denoiser");
        Assert.IsGreaterThan(1.2, check.MiddleGain);
    }

    [TestMethod]
    public void ReversedTimeIsRefused() => AssertRefused(RawNetworks.Flow(0.4, 0.5, reversed: true), "flow");

    [TestMethod]
    public void AFlowTakenAsADenoiserIsRefused() => AssertRefused(RawNetworks.Flow(0.4, 0.5), "denoiser");

    [TestMethod]
    public void ANetworkThatDoesNothingIsRefused() => AssertRefused(RawNetworks.Model((b, x, _) => b.Mul(x, 1)), "denoiser");

    [TestMethod]
    public void ANetworkThatIsNotFiniteIsRefused() => AssertRefused(RawNetworks.Model((b, x, _) => b.Mul(x, double.NaN)), "denoiser");

    [TestMethod]
    [TestCategory("Slow")]
    public void TheDitIsImportedCheckedAndCanBeDifferentiated()
    {
        var raw = OnnxReader.Read(Dit.Raw());
        var guess = TeacherImporter.Guess(raw.Graph);
        Assert.AreEqual(("zt", "t", "cond"), (guess.Sample?.Name, guess.Time?.Name, guess.Label?.Name));
        var teacher = Dit.Import();
        Assert.AreEqual((10, 10, "image"), (teacher.Card.Labels, teacher.Card.NullLabel, teacher.Card.Data));
        CollectionAssert.AreEqual(new long[] { 1, 32, 32 }, teacher.DataShape);
        var check = TeacherCheck.Run(teacher, "dit", "flow");
        Assert.IsGreaterThan(2, check.MiddleGain, "a trained network on images does much better than the bound");

        var network = teacher.AtBatch(2);
        var coverage = CoverageReport.Of(network.Model.Graph.Nodes);
        Assert.IsTrue(coverage.IsComplete, coverage.Describe());
        Assert.AreEqual(354_148, network.ParameterCount);
    }

    private static void AssertRefused(OnnxModel model, string prediction) => Expect.Error<TeacherMismatchException>(() => Run(model, prediction),
        "does not denoise", $"'{prediction}'", "direction of time");

    private static TeacherCheck Run(OnnxModel model, string prediction)
    {
        using var files = new TestFiles();
        OnnxWriter.Write(model, files["raw.onnx"]);
        return TeacherCheck.Run(TeacherImporter.Import(files["raw.onnx"], new ImportOptions { Prediction = prediction }), "raw.onnx", prediction);
    }
}
