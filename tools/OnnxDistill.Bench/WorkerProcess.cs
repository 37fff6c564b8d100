using System.Diagnostics;
using System.Globalization;

namespace OnnxDistill.Bench;

/// <summary>One round of one side.</summary>
/// <param name="Median">Median time of a step in milliseconds.</param>
/// <param name="Mean">Mean time in milliseconds.</param>
/// <param name="Count">Steps made.</param>
internal readonly record struct Round(double Median, double Mean, int Count);

/// <summary>The parent's end of a <see cref="Worker"/>.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private readonly Process _process;

    public WorkerProcess(string side, string workload, string[] settings)
    {
        _process = ChildProcess.Start(takesInput: true, ["worker", side, workload, .. settings]);
        Expect("ready", Read());
    }

    /// <summary>Lets the side make steps for so many seconds.</summary>
    public Round Run(double seconds)
    {
        _process.StandardInput.WriteLine(seconds.ToString(CultureInfo.InvariantCulture));
        var parts = Read().Split(' ');
        return new(Number(parts[0]), Number(parts[1]), int.Parse(parts[2], CultureInfo.InvariantCulture));
    }

    /// <summary>Ends the side and gives the most memory it ever held, in bytes.</summary>
    public long Finish()
    {
        _process.StandardInput.WriteLine("memory");
        var bytes = long.Parse(Read(), CultureInfo.InvariantCulture);
        _process.WaitForExit();
        return bytes;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    private string Read() => _process.StandardOutput.ReadLine()
        ?? throw new InvalidOperationException("A side of the benchmark ended early; its own message is above.");

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static void Expect(string expected, string found)
    {
        if (found != expected)
            throw new InvalidOperationException($"A side of the benchmark said '{found}', expected '{expected}'.");
    }
}
