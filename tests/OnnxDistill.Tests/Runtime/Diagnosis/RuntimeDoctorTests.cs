using OnnxDistill.Runtime;
using OnnxDistill.Runtime.Diagnosis;

namespace OnnxDistill.Tests.Runtime.Diagnosis;

[TestClass]
public sealed class RuntimeDoctorTests
{
    [TestMethod]
    public void TheReportNamesWhatIsThere()
    {
        var report = RuntimeDoctor.Examine();
        StringAssert.StartsWith(report.OnnxRuntime, "1.");
        Assert.Contains("CPUExecutionProvider", report.Providers);
        Assert.IsTrue(File.Exists(report.NativeLibrary), report.NativeLibrary);
        Assert.AreEqual(TelemetryState.Off, report.Telemetry);
        Assert.IsGreaterThan(0, report.Processors);
        Assert.IsGreaterThan(1L << 20, report.MemoryBytes);
    }

    [TestMethod]
    public void PeakMemoryGrowsWithNativeMemoryAndNeverShrinks()
    {
        const long bytes = 64 << 20;
        var before = PeakMemory.Bytes();
        using (var buffer = new OnnxDistill.Runtime.Buffers.TensorBuffer(Graph.Model.ElementType.UInt8, bytes))
            buffer.Span<byte>().Fill(1);
        var after = PeakMemory.Bytes();
        Assert.IsGreaterThanOrEqualTo(before, after);
        Assert.IsGreaterThanOrEqualTo(bytes, after);
        Assert.AreEqual(12345L * 1024, PeakMemory.Parse("VmHWM:\t   12345 kB"));
    }
}
