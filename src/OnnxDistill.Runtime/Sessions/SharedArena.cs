using Microsoft.ML.OnnxRuntime;

namespace OnnxDistill.Runtime.Sessions;

/// <summary>
/// One arena for the intermediate results of all CPU sessions that are created while it is open. Sessions of their own arenas each keep the most
/// that they ever needed; those that run in turn need it only once. Sessions hold the arena beyond its closing; the last one returns its memory.
/// </summary>
/// <remarks>
/// The first piece is as large as the caller expects to need: pages are taken when they are first touched, so a piece too large costs 3 % of what
/// it is too large by (the arena's table), while one too small grows by doubling pieces that cannot be joined. Peak of the process, one run each (ONNX
/// Runtime 1.31.1, SiD, the same build, a first piece of 2 GB): a U-Net of 1.3 million weights at 32x32, batch 32, 2259 MB with arenas of their own,
/// 1406 so, 1593 without any arena, 1623 with pieces as requested; a transformer at batch 64 2739, 1748, 1666, 1892. The machine was busy, so what it
/// does to the time of a step is not settled: of two turns each, forty's 46 and 47 ms (smallest) became 49, with a piece far too large. Runs may overlap: the arena locks.
/// </remarks>
public sealed class SharedArena : IDisposable
{
    // ONNX Runtime's own limit is 128 MB: below it a gap of up to twice the size asked for is given whole.
    private const int NextPowerOfTwo = 0, MostDeadBytes = 4096;
    private const long Least = 1 << 20;

    private static readonly Lock Gate = new();
    private static SharedArena? _open;

    private SharedArena()
    {
    }

    /// <summary>Whether sessions created now share an arena.</summary>
    internal static bool IsOpen => Volatile.Read(ref _open) is not null;

    /// <summary>Opens an arena; one that is open already serves the sessions that it has and gets no new ones.</summary>
    /// <param name="bytes">What all sessions together are expected to need at once.</param>
    /// <returns>The arena, or null when the host has registered an allocator of its own, which is left alone.</returns>
    /// <exception cref="RuntimeUnavailableException">ONNX Runtime is missing.</exception>
    public static SharedArena? Open(long bytes)
    {
        OrtRuntime.EnsureReady();
        lock (Gate)
        {
            if (_open is not null)
                Unregister();
            try
            {
                using var memory = Memory();
                using var settings = new OrtArenaCfg(0, NextPowerOfTwo, (int)Math.Clamp(bytes, Least, int.MaxValue), MostDeadBytes);
                OrtEnv.Instance().CreateAndRegisterAllocator(memory, settings);
            }
            catch (OnnxRuntimeException)
            {
                return null;
            }
            return _open = new SharedArena();
        }
    }

    /// <summary>Later sessions have arenas of their own again; a second call does nothing.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            if (ReferenceEquals(_open, this))
                Unregister();
        }
    }

    private static void Unregister()
    {
        _open = null;
        using var memory = Memory();
        OrtEnv.Instance().UnregisterAllocator(memory);
    }

    private static OrtMemoryInfo Memory() => new(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.ArenaAllocator, 0, OrtMemType.Default);
}
