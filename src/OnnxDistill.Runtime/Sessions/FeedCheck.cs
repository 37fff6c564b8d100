using OnnxDistill.Graph.Model;

namespace OnnxDistill.Runtime.Sessions;

/// <summary>Compares what a caller gives with what a session wants, and reports everything that does not fit at once.</summary>
internal sealed class FeedCheck(string what)
{
    private readonly List<string> _faults = [];
    private readonly Dictionary<string, (long Size, string Port)> _symbols = new(StringComparer.Ordinal);

    /// <summary>Notes a fault.</summary>
    public void Add(string fault) => _faults.Add(fault);

    /// <summary>Looks at the given tensors of one side.</summary>
    /// <param name="ports">What the session has.</param>
    /// <param name="given">What the caller gives.</param>
    /// <param name="side">Input or output.</param>
    /// <param name="all">Whether every port must be given.</param>
    public void Compare(IReadOnlyList<Port> ports, IReadOnlyDictionary<string, (ElementType Type, long[] Dims)> given, string side, bool all)
    {
        foreach (var port in ports)
        {
            if (given.TryGetValue(port.Name, out var tensor))
                Compare(port, tensor.Type, tensor.Dims, side);
            else if (all)
                Add($"{side} '{port.Name}' is missing, expected {port.Type}{port.Shape}");
        }
        Names(ports, given.Keys, side);
    }

    /// <summary>Looks for names that the session does not have.</summary>
    public void Names(IReadOnlyList<Port> ports, IEnumerable<string> names, string side)
    {
        foreach (var name in names.Where(n => !ports.Any(p => p.Name == n)))
            Add($"there is no {side} '{name}'; there are {string.Join(", ", ports.Select(p => p.Name))}");
    }

    /// <summary>Throws when there was a fault.</summary>
    /// <exception cref="ArgumentException">All faults.</exception>
    public void ThrowIfAny()
    {
        if (_faults.Count > 0)
            throw new ArgumentException($"The tensors given to {what} do not fit: {string.Join("; ", _faults)}.");
    }

    private void Compare(Port port, ElementType type, long[] dims, string side)
    {
        if (type != port.Type)
            Add($"{side} '{port.Name}' has elements of {type}, expected {port.Type}");
        if (dims.Length != port.Shape.Rank)
        {
            // ONNX Runtime reports rank 0 for an output of unknown rank too, so only inputs can be judged.
            if (port.Shape.Rank > 0 || side == "input")
                Add($"{side} '{port.Name}' has the shape [{string.Join(", ", dims)}] of rank {dims.Length}, expected {port.Shape}");
            return;
        }
        for (var axis = 0; axis < dims.Length; axis++)
        {
            var expected = port.Shape[axis];
            if (expected.IsKnown ? expected.Size != dims[axis] : !Agrees(expected.Symbol!, dims[axis], port.Name, out expected))
            {
                Add($"{side} '{port.Name}' has the shape [{string.Join(", ", dims)}], expected {port.Shape}"
                    + (port.Shape[axis].Symbol is { } symbol ? $" with {symbol} = {expected.Size} as in '{_symbols[symbol].Port}'" : ""));
                return;
            }
        }
    }

    private bool Agrees(string symbol, long size, string port, out Dim expected)
    {
        if (_symbols.TryAdd(symbol, (size, port)))
        {
            expected = size;
            return true;
        }
        expected = _symbols[symbol].Size;
        return expected.Size == size;
    }
}
