using OnnxDistill.Runtime.Diagnosis;

namespace OnnxDistill.Tests.Runtime.Diagnosis;

/// <summary>Seen in a root folder without libssl: .NET ended the process in the middle of a run.</summary>
[TestClass]
public sealed class OpenSslTests
{
    [TestMethod]
    public void ItIsMissingOnlyWhereNoneOfItsNamesLoads()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Inconclusive("Only on Linux does .NET use OpenSSL.");
        var asked = new List<string>();
        bool Nothing(string name, out nint handle)
        {
            asked.Add(name);
            handle = 0;
            return false;
        }
        static bool OnlyOld(string name, out nint handle) => (handle = 0) == 0 && name == "libssl.so.1.1";
        Assert.IsTrue(OpenSsl.IsMissing(Nothing));
        CollectionAssert.AreEqual(new[] { "libssl.so.3", "libssl.so.1.1" }, asked);
        Assert.IsFalse(OpenSsl.IsMissing(OnlyOld));
        Assert.IsNull(OpenSsl.Problem(), "these tests hash, so it is here");
    }
}
