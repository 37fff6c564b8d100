using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Repository;

namespace OnnxDistill.Tests.Teachers;

/// <summary>A raw network exported by tools/export_teacher.py and imported with the flags that it prints is the denoiser that NVlabs' own wrapper classes make of it,
/// classes and "no class" included (fixtures: tools/make_teacher_fixtures.py).</summary>
[TestClass]
public sealed class PublishedWrapperTests
{
    private const string Network = "song-unet", DoubleNetwork = "song-unet-variance";

    // float32 on both sides, sums in another order.
    private const double Rounding = 1e-5;

    [TestMethod]
    [DataRow("edm", Network, "edm", "", "", Rounding)]
    [DataRow("vp", Network, "eps", "vp", "", Rounding)]
    [DataRow("ve", Network, "scaled-score", "ve", "", Rounding)]
    [DataRow("iddpm", DoubleNetwork, "eps", "iddpm", "step", Rounding)]
    [DataRow("iddpm", DoubleNetwork, "eps", "iddpm", "", Rounding)] // on its table's levels the interpolated step is that whole step
    public void AnImportedNetworkDenoisesAsItsOwnWrapperDoes(string wrapper, string network, string prediction, string schedule, string time, double tolerance)
    {
        var teacher = TeacherImporter.Import(Fixture($"{network}-seed3.onnx"), new ImportOptions
        {
            Prediction = prediction,
            Schedule = schedule,
            Time = time,
            Labels = 3,
            NullLabel = 3,
        });
        var recorded = NpzFile.Read(Fixture("wrappers-seed3.npz"));
        TensorData Of(string name) => recorded[$"{wrapper}/{name}"];
        using var session = GraphSession.Create(teacher.Model);
        var found = session.Run(new[] { Denoiser.X, Denoiser.Sigma, Denoiser.Label }.ToDictionary(static name => name, Of))[Denoiser.Denoised].ToDoubles();
        var (expected, sigmas) = (Of(Denoiser.Denoised).ToDoubles(), Of(Denoiser.Sigma).ToDoubles());
        var size = expected.Length / sigmas.Length;
        for (var i = 0; i < sigmas.Length; i++)
        {
            var sample = expected[(i * size)..((i + 1) * size)];
            var off = sample.Zip(found[(i * size)..((i + 1) * size)], static (e, f) => Math.Abs(e - f)).Max();
            // D of a network that is not trained grows with sigma.
            Assert.IsLessThan(tolerance, off / sample.Max(Math.Abs), $"{wrapper} at sigma = {sigmas[i]}");
        }
    }

    [TestMethod]
    public void AnotherWrappersFlagsGiveOtherNumbers()
    {
        // So the test above can fail: VP's and VE's networks differ in input scale, time and sign only.
        var recorded = NpzFile.Read(Fixture("wrappers-seed3.npz"));
        var teacher = TeacherImporter.Import(Fixture($"{Network}-seed3.onnx"), new ImportOptions { Prediction = "eps", Schedule = "ve", Time = "log-half-sigma", Labels = 3, NullLabel = 3 });
        using var session = GraphSession.Create(teacher.Model);
        var found = session.Run(new[] { Denoiser.X, Denoiser.Sigma, Denoiser.Label }.ToDictionary(static name => name, name => recorded[$"ve/{name}"]))[Denoiser.Denoised].ToDoubles();
        Assert.IsGreaterThan(0.1, found.Zip(recorded["ve/denoised"].ToDoubles(), static (f, e) => Math.Abs(f - e)).Max());
    }

    [TestMethod]
    public void TheExportedWeightsHaveTheNetworksOwnNamesAndNoTablesAmongThem()
    {
        var names = OnnxReader.Read(Fixture($"{Network}-seed3.onnx")).Graph.Initializers.ConvertAll(static i => i.Name);
        CollectionAssert.AllItemsAreUnique(names);
        CollectionAssert.IsSubsetOf(new[] { "map_label.weight", "enc.8x8_conv.weight", "dec.8x8_aux_norm.weight" }, names);
        Assert.IsTrue(names.TrueForAll(static n => n.EndsWith(".weight", StringComparison.Ordinal) || n.EndsWith(".bias", StringComparison.Ordinal)));
    }

    private static string Fixture(string name) => RepositoryRoot.Of("tests", "OnnxDistill.Tests", "Teachers", "Fixtures", name);
}
