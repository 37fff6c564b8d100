using System.Runtime.InteropServices;
using Spectre.Console;

namespace OnnxDistill.Cli;

/// <summary>Ctrl+C and a polite kill ask the run to stop after the current step and save; a second one ends the process at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly TextWriter _error;
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals(TextWriter error)
    {
        _error = error;
        _registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        if (_source.IsCancellationRequested)
        {
            // Not cancelled a second time: the default action ends the process, and a live display has no time to give the cursor back.
            if (!Console.IsOutputRedirected)
                AnsiConsole.Cursor.Show();
            return;
        }
        context.Cancel = true;
        _error.WriteLine("\nStopping after this step; the state will be saved. Once more to end at once.");
        _source.Cancel();
    }
}
