using static TorchSharp.torch;

namespace OnnxDistill.Bench;

internal static class TorchThreads
{
    /// <summary>As many threads inside operators as OnnxDistill's side has, and none that run operators side by side.</summary>
    public static void Set()
    {
        set_num_threads(Setup.Threads);
        if (get_num_interop_threads() != 1)
            set_num_interop_threads(1);
    }
}
