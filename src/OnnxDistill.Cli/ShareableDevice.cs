using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Cli;

/// <summary>Which devices ranks can work on.</summary>
internal static class ShareableDevice
{
    /// <summary>Refuses a device of which every process would take the same one.</summary>
    /// <exception cref="UsageException">It is no processor.</exception>
    public static void Require(string device, IRankGroup ranks)
    {
        if (ranks.Count > 1 && Device.Parse(device).Kind != DeviceKind.Cpu)
        {
            throw new UsageException($"--device: found {device} with {ranks.Count} ranks, expected cpu: all ranks of a machine would share that device, and gradients are exchanged from "
                + "the processor's memory. Leave mpirun out to train on one GPU, or train on the processors.");
        }
    }
}
