using System.Runtime.InteropServices;
using OnnxDistill.Runtime.Parallel;
using Spectre.Console;

namespace OnnxDistill.Cli;

/// <summary>Ctrl+C and a polite kill ask the run to stop after the current step and save; a second one ends the process at once.</summary>
internal sealed class StopSignals : IDisposable
{
    // SIGUSR1, which mpirun hands on and leaves it at that; after Ctrl+C it grants the ranks a second and then kills them.
    private const PosixSignal Forwarded = (PosixSignal)10;

    private readonly CancellationTokenSource _source = new();
    private readonly TextWriter _error;
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals(TextWriter error)
    {
        _error = error;
        PosixSignal[] signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, .. RankEnvironment.Count > 1 && OperatingSystem.IsLinux() ? new[] { Forwarded } : []];
        _registrations = [.. signals.Select(s => PosixSignalRegistration.Create(s, Handle))];
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    // mpirun sends the same signal for Ctrl+C and when a rank is lost; then nobody can finish the step, and mpirun ends the others soon.
    private static string? Words() => (RankEnvironment.Count, RankEnvironment.Rank) switch
    {
        (1, _) => "\nStopping after this step; the state will be saved. Once more to end at once.",
        (_, 0) => "\nAll ranks stop after this step and the state will be saved. If instead a rank was lost (mpirun then names it), go on from the newest state with --resume, on any number of ranks.",
        // Rank 0 may be the one that is lost.
        (_, 1) => "onnxdistill (rank 1): stopping with the other ranks. If rank 0 was lost, go on from the newest state with --resume, on any number of ranks.",
        _ => null,
    };

    private void Handle(PosixSignalContext context)
    {
        if (_source.IsCancellationRequested)
        {
            // Not cancelled a second time: the default action ends the process, and a live display has no time to give the cursor back.
            if (RankEnvironment.Count == 1 && !Console.IsOutputRedirected)
                AnsiConsole.Cursor.Show();
            return;
        }
        context.Cancel = true;
        if (Words() is { } words)
            _error.WriteLine(words);
        _source.Cancel();
    }
}
