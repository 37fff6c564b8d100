using OnnxDistill.Runtime.Buffers;

namespace OnnxDistill.Runtime.Sessions;

/// <summary>What must hold before buffers are tied to a session.</summary>
internal static class BindingCheck
{
    /// <summary>Names, types and shapes fit, and no output shares memory with an input or another output.</summary>
    /// <exception cref="ArgumentException">All faults at once.</exception>
    public static void Check(GraphSession session, KeyValuePair<string, TensorView>[] inputs, KeyValuePair<string, TensorView>[] outputs)
    {
        var check = new FeedCheck(session.What);
        check.Compare(session.Inputs, Describe(inputs, "input", check), "input", all: true);
        check.Compare(session.Outputs, Describe(outputs, "output", check), "output", all: false);
        foreach (var (name, view) in inputs.Concat(outputs))
            Place(session, name, view.Buffer.Memory, check);
        Overlaps(inputs, outputs, check);
        check.ThrowIfAny();
    }

    private static void Place(GraphSession session, string name, DeviceMemory? memory, FeedCheck check)
    {
        if (memory is not null && memory.Device != session.Device)
            check.Add($"'{name}' lies in the memory of {memory.Device}, the session runs on {session.Device}");
        if (memory is null && session.Options.CudaGraph)
            check.Add($"'{name}' lies in the host's memory, but a CUDA graph replays with the addresses it recorded; allocate it from {nameof(DeviceMemory)}");
    }

    private static Dictionary<string, (Graph.Model.ElementType, long[])> Describe(KeyValuePair<string, TensorView>[] given, string side, FeedCheck check)
    {
        var described = new Dictionary<string, (Graph.Model.ElementType, long[])>(StringComparer.Ordinal);
        foreach (var (name, view) in given)
        {
            if (!described.TryAdd(name, (view.Type, view.Dims)))
                check.Add($"{side} '{name}' is given twice");
        }
        return described;
    }

    // An aliased input and output gave wrong numbers in ONNX Runtime 1.31.1 (its planner takes inputs to be read-only for the whole run), so it
    // is refused. Two inputs may share memory. Sorted by address an overlap can only be with the furthest-reaching range before.
    private static void Overlaps(KeyValuePair<string, TensorView>[] inputs, KeyValuePair<string, TensorView>[] outputs, FeedCheck check)
    {
        var ranges = inputs.Select(p => (p.Key, p.Value.Address, End: p.Value.Address + (nint)p.Value.ByteCount, Writes: false))
            .Concat(outputs.Select(p => (p.Key, p.Value.Address, End: p.Value.Address + (nint)p.Value.ByteCount, Writes: true)))
            .Where(r => r.End > r.Address).OrderBy(r => r.Address).ToArray();
        var (furthest, furthestWrite) = (-1, -1);
        for (var i = 0; i < ranges.Length; i++)
        {
            var before = ranges[i].Writes ? furthest : furthestWrite;
            if (before >= 0 && ranges[before].End > ranges[i].Address)
            {
                check.Add($"{Side(ranges[before].Writes)} '{ranges[before].Key}' and {Side(ranges[i].Writes)} '{ranges[i].Key}' share memory, which "
                    + "gives wrong numbers; alternate between two buffers instead");
            }
            if (furthest < 0 || ranges[i].End > ranges[furthest].End)
                furthest = i;
            if (ranges[i].Writes && (furthestWrite < 0 || ranges[i].End > ranges[furthestWrite].End))
                furthestWrite = i;
        }
    }

    private static string Side(bool writes) => writes ? "output" : "input";
}
