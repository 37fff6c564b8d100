namespace OnnxDistill.Tests.Cli;

/// <summary>The command leaves nothing in the user's home: no telemetry id, no cache.</summary>
[TestClass]
public sealed class EmptyHomeTests
{
    [TestMethod]
    public void InspectDistillAndDoctorLeaveNoFileUnderHome()
    {
        using var files = new TinyFiles();
        var home = Directory.CreateDirectory(files["home"]).FullName;
        Dictionary<string, string?> environment = new()
        {
            ["HOME"] = home,
            ["XDG_CACHE_HOME"] = null,
            ["XDG_CONFIG_HOME"] = null,
            ["XDG_DATA_HOME"] = null,
            // The guard that a test machine may have set must not be what keeps the folder empty.
            ["ORT_DISABLE_TELEMETRY"] = null,
        };
        string[][] lines = [["inspect", "teacher.onnx"], ["distill", "tiny.json", "-o", "run"], ["doctor"]];
        foreach (var line in lines)
            CommandLine.RunChild(files.Folder, line, environment).Expect(0);
        Assert.AreEqual("", string.Join(", ", Directory.GetFileSystemEntries(home, "*", SearchOption.AllDirectories)));
    }
}
