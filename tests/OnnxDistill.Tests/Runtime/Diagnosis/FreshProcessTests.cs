using System.Diagnostics;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime;
using OnnxDistill.Runtime.Diagnosis;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Tests.Runtime.Diagnosis;

/// <summary>What happens once in a process, at ONNX Runtime's first use: seen in processes of their own, which run one test of this class.</summary>
[TestClass]
public sealed class FreshProcessTests
{
    private const string ChildVariable = "ONNXDISTILL_TEST_CHILD", WordsVariable = "ONNXDISTILL_TEST_WORDS";

    /// <summary>What an ONNX Runtime before 1.31 answers: it has its version's string, and no API of a later number.</summary>
    private const string OlderRuntime = """
        static const char *version(void) { return "1.19.2"; }
        static const void *api(unsigned number) { return number <= 19 ? "some api" : 0; }
        static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
        const void *OrtGetApiBase(void) { return &base; }
        """;

    [TestMethod]
    public void NothingIsWrittenIntoAnEmptyHome()
    {
        var home = Directory.CreateTempSubdirectory("onnxdistill-").FullName;
        try
        {
            RunChild(nameof(ChildRunsASession), new() { ["HOME"] = home, ["XDG_CACHE_HOME"] = null, ["XDG_DATA_HOME"] = null, ["XDG_CONFIG_HOME"] = null });
            Assert.AreEqual("", string.Join(", ", Directory.GetFiles(home, "*", SearchOption.AllDirectories)));
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    [TestMethod]
    public void AnotherNativeLibraryIsLoadedWhenNamed()
    {
        var folder = Directory.CreateTempSubdirectory("onnxdistill-").FullName;
        try
        {
            var copy = Path.Combine(folder, Path.GetFileName(RuntimeDoctor.Examine().NativeLibrary!));
            File.Copy(RuntimeDoctor.Examine().NativeLibrary!, copy);
            RunChild(nameof(ChildUsesTheNamedLibrary), new() { [OrtRuntime.LibraryVariable] = copy });
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [TestMethod]
    public void AMissingNativeLibraryIsExplained() =>
        RunChild(nameof(ChildExplainsTheMissingLibrary), new() { [OrtRuntime.LibraryVariable] = "/no/such/libonnxruntime.so" });

    [TestMethod]
    public void ALibraryThatIsNoOnnxRuntimeIsExplained()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Inconclusive("Takes Linux's C library for an ONNX Runtime.");
        RunChild(nameof(ChildExplainsTheNamedLibrary), new()
        {
            [OrtRuntime.LibraryVariable] = "libc.so.6",
            [WordsVariable] = "names 'libc.so.6'|cannot be loaded|Check the path",
        });
        using var self = Process.GetCurrentProcess();
        var real = self.Modules.Cast<ProcessModule>().Select(m => m.FileName).FirstOrDefault(f => Path.GetFileName(f) is "libc.so.6")
            ?? throw new AssertInconclusiveException("This process runs without libc.so.6.");
        RunChild(nameof(ChildExplainsTheNamedLibrary), new()
        {
            [OrtRuntime.LibraryVariable] = real,
            [WordsVariable] = "cannot be loaded as ONNX Runtime's native library|OrtGetApiBase|unset the variable",
        });
    }

    [TestMethod]
    public void AnOlderOnnxRuntimeIsRefusedWithItsVersion()
    {
        using var files = new Data.TestFiles();
        files.Write("older.c", OlderRuntime);
        try
        {
            using var compiler = Process.Start("cc", ["-shared", "-fPIC", "-o", files["libonnxruntime.so"], files["older.c"]]);
            compiler.WaitForExit();
            Assert.AreEqual(0, compiler.ExitCode);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Inconclusive("There is no C compiler 'cc' to make a library that answers as an older ONNX Runtime does.");
        }
        RunChild(nameof(ChildExplainsTheNamedLibrary), new()
        {
            [OrtRuntime.LibraryVariable] = files["libonnxruntime.so"],
            [WordsVariable] = "which is ONNX Runtime 1.19.2|needs API version 31|ONNX Runtime 1.31 or newer",
        });
    }

    [TestMethod]
    public void ChildExplainsTheNamedLibrary()
    {
        OnlyInChild();
        var message = Assert.ThrowsExactly<RuntimeUnavailableException>(RunSession).Message;
        foreach (var words in Environment.GetEnvironmentVariable(WordsVariable)!.Split('|'))
            StringAssert.Contains(message, words);
        Assert.ThrowsExactly<RuntimeUnavailableException>(RunSession, "the second attempt says the same");
    }

    [TestMethod]
    public void ChildRunsASession()
    {
        OnlyInChild();
        RunSession();
        Assert.AreEqual(TelemetryState.Off, OrtRuntime.Telemetry);
    }

    [TestMethod]
    public void ChildUsesTheNamedLibrary()
    {
        OnlyInChild();
        RunSession();
        Assert.AreEqual(Environment.GetEnvironmentVariable(OrtRuntime.LibraryVariable), RuntimeDoctor.Examine().NativeLibrary);
    }

    [TestMethod]
    public void ChildExplainsTheMissingLibrary()
    {
        OnlyInChild();
        var message = Assert.ThrowsExactly<RuntimeUnavailableException>(RunSession).Message;
        StringAssert.Contains(message, $"{OrtRuntime.LibraryVariable} names '/no/such/libonnxruntime.so', which cannot be loaded");
        var report = RuntimeDoctor.Examine();
        Assert.IsNull(report.OnnxRuntime);
        StringAssert.Contains(report.Problems.Single(p => p.Found.Contains("does not start", StringComparison.Ordinal)).Cure, "unset the variable");
    }

    private static void RunSession()
    {
        using var session = GraphSession.Create(SmallGraphs.Step(2));
        session.Run(new Dictionary<string, TensorData> { ["state"] = TensorData.Of([2f, 4], 2), ["force"] = TensorData.Of([1f, 1], 2) });
    }

    private static void OnlyInChild()
    {
        if (Environment.GetEnvironmentVariable(ChildVariable) is null)
            Assert.Inconclusive("Runs only in the process that another test of this class starts.");
    }

    private static void RunChild(string test, Dictionary<string, string?> environment)
    {
        var results = Directory.CreateTempSubdirectory("onnxdistill-").FullName;
        try
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
            if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
                start.ArgumentList.Add(typeof(FreshProcessTests).Assembly.Location);
            foreach (var argument in new[] { "--filter", $"FullyQualifiedName~{nameof(FreshProcessTests)}.{test}", "--results-directory", results, "--no-progress" })
                start.ArgumentList.Add(argument);
            start.Environment[ChildVariable] = "1";
            // The test platform's own telemetry would write files of its own.
            start.Environment["TESTINGPLATFORM_TELEMETRY_OPTOUT"] = "1";
            start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
            foreach (var (name, value) in environment)
                start.Environment[name] = value;
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            Assert.IsTrue(process.WaitForExit(TimeSpan.FromMinutes(1)), "The child process did not end.");
            Assert.AreEqual(0, process.ExitCode, output + error.Result);
        }
        finally
        {
            Directory.Delete(results, recursive: true);
        }
    }
}
