using OnnxDistill.Graph;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Teachers;

/// <summary>How far an output of a raw network on ONNX Runtime lies from what its own framework recorded.</summary>
/// <param name="Output">Its name.</param>
/// <param name="Largest">Largest difference.</param>
/// <param name="Relative">That, over the recorded output's largest magnitude.</param>
public sealed record RecordedDifference(string Output, double Largest, double Relative);

/// <summary>Runs a raw network on recorded inputs and compares its outputs with recorded ones.</summary>
public static class RecordedCheck
{
    /// <summary>The difference of every output that was recorded.</summary>
    /// <param name="model">The network's file.</param>
    /// <param name="recording">Arrays (.npz) named as the graph's inputs and outputs.</param>
    /// <exception cref="ModelFileException">A file is missing or damaged, or the recording lacks an input, has no output, or has other shapes.</exception>
    public static IReadOnlyList<RecordedDifference> Run(string model, string recording)
    {
        using var session = GraphSession.Load(model);
        var arrays = NpzFile.Read(recording);
        var lacking = session.Inputs.Where(i => !arrays.ContainsKey(i.Name)).Select(i => i.Name).ToList();
        var recorded = session.Outputs.Where(o => arrays.ContainsKey(o.Name)).Select(o => o.Name).ToList();
        if (lacking.Count > 0 || recorded.Count == 0)
        {
            throw new ModelFileException($"'{recording}' holds {string.Join(", ", arrays.Keys)}; expected the inputs {string.Join(", ", session.Inputs.Select(i => i.Name))} and at least one of the outputs "
                + $"{string.Join(", ", session.Outputs.Select(o => o.Name))} of '{model}'.");
        }
        IReadOnlyDictionary<string, TensorData> found;
        try
        {
            found = session.Run(session.Inputs.ToDictionary(i => i.Name, i => arrays[i.Name]), recorded);
        }
        catch (ArgumentException error)
        {
            throw new ModelFileException($"'{recording}' does not fit '{model}': {error.Message}", error);
        }
        return [.. recorded.Select(name => Compare(name, found[name], arrays[name], recording))];
    }

    private static RecordedDifference Compare(string name, TensorData found, TensorData recorded, string recording)
    {
        if (!found.Shape.Equals(recorded.Shape) || !recorded.Type.IsFloating() || !found.Type.IsFloating())
            throw new ModelFileException($"'{recording}': the output '{name}' was recorded as {recorded.Type}{recorded.Shape}, the network gives {found.Type}{found.Shape}.");
        var (f, r) = (found.ToDoubles(), recorded.ToDoubles());
        // A number that is none is as far off as can be.
        var largest = f.Zip(r, static (a, b) => double.IsNaN(a - b) ? double.PositiveInfinity : Math.Abs(a - b)).DefaultIfEmpty(0).Max();
        var scale = r.Select(Math.Abs).DefaultIfEmpty(0).Max();
        return new RecordedDifference(name, largest, largest == 0 ? 0 : largest / scale);
    }
}
