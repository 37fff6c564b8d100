using OnnxDistill.Cli;

namespace OnnxDistill.Tests.Cli;

/// <summary>Every mistake of the table ends with its exit code and a message to act on, and nothing is written.</summary>
[TestClass]
public sealed class BadInputTests
{
    public static IEnumerable<object[]> Names => BadInputCases.All.Select(c => new object[] { c.Name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void BadInputEndsWithItsExitCodeAndAMessageToActOn(string name)
    {
        var bad = BadInputCases.All.Single(c => c.Name == name);
        using var files = new TinyFiles();
        var line = bad.Line(files);
        var before = files.Listing();
        var result = CommandLine.Run(line);
        Assert.AreEqual(bad.Code, result.Code, result.Output + result.Error);
        StringAssert.StartsWith(result.Error, "onnxdistill: ");
        foreach (var words in bad.Words)
            StringAssert.Contains(result.Error, words);
        Assert.DoesNotContain("   at ", result.Output + result.Error, "a stack trace is for --verbose only");
        Assert.AreEqual(before, files.Listing(), "nothing is overwritten or left behind");

        // A machine gets the same message and code.
        var json = CommandLine.Run([.. line, "--json"]).Json;
        Assert.AreEqual(bad.Code, json["exitCode"]!.GetValue<int>());
        StringAssert.Contains(result.Error, json["error"]!.GetValue<string>());
    }

    [TestMethod]
    public void VerboseAddsTheStackTrace()
    {
        using var files = new TinyFiles();
        StringAssert.Contains(CommandLine.Run("inspect", files["none.onnx"], "--verbose").Expect(ExitCodes.BadInput).Error, "   at ");
    }
}
