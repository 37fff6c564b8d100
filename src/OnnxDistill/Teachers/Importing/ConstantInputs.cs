using System.Globalization;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Importing;

/// <summary>Inputs beside sample, time and label, folded in as constants.</summary>
internal static class ConstantInputs
{
    /// <summary>What each input gets, in words: what was told, or zeros where their name says that zeros mean nothing.</summary>
    /// <exception cref="TeacherMismatchException">An input's value is not known.</exception>
    public static IReadOnlyDictionary<string, string> Resolve(OnnxGraph graph, InputRoles roles, ImportOptions options, string file)
    {
        var unknown = roles.Others.Where(static o => !InputRoles.MeansNothingAtZero(o)).ToList();
        if (unknown.Count > 0)
        {
            throw new TeacherMismatchException($"'{file}' has inputs beside sample, time and label: {string.Join("; ", unknown)}. Say what they are fed with --constant NAME=NUMBER or "
                + "--constant NAME=FILE.npy" + (roles.Label is null ? ", or name the class with --label-input." : "."));
        }
        var told = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var input in graph.Inputs)
        {
            if (options.Constants.TryGetValue(input.Name, out var text))
                told[input.Name] = text;
            else if (roles.Others.Any(o => o.Name == input.Name))
                told[input.Name] = "0";
        }
        return told;
    }

    /// <summary>The constant for an input, repeated for every sample of the batch that the levels [N] have.</summary>
    public static Value Emit(GraphBuilder b, Value input, string text, Value sigma)
    {
        var perSample = input.KnownShape is { Rank: > 0 } shape && !shape[0].IsKnown;
        var dims = (perSample ? input.Shape.With(0, 1) : input.KnownShape ?? Shape.Scalar).ToArray();
        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number);
        if (isNumber && !Array.TrueForAll(dims, static d => d.IsKnown))
            throw new TeacherMismatchException($"--constant {input.Name}={text}: the input is {input}, so one number does not say how many there are. Give a file.");
        var data = isNumber ? TensorData.Of(Enumerable.Repeat((float)number, (int)dims.Aggregate(1L, static (n, d) => n * d.Size)).ToArray(), Array.ConvertAll(dims, static d => d.Size))
            : Read(input, text, dims);
        var constant = b.Cast(b.Constant(data), input.Type);
        if (!perSample)
            return constant;
        var batch = b.Emit("Shape", [sigma], ElementType.Int64, Shape.Of(1));
        var extents = dims.Length == 1 ? batch : b.Concat(0, batch, b.Longs(Enumerable.Repeat(1L, dims.Length - 1).ToArray()));
        return b.Emit("Expand", [constant, extents], input.Type, Shape.Of(data.Dims).With(0, sigma.Shape[0]));
    }

    private static TensorData Read(Value input, string path, Dim[] dims)
    {
        var data = NpyFile.Read(path);
        // One sample's worth may come without the axis of samples.
        var found = data.Dims.Length == dims.Length - 1 ? [1, .. data.Dims] : data.Dims;
        return found.Length == dims.Length && dims.Zip(found).All(static p => !p.First.IsKnown || p.First.Size == p.Second)
            ? new TensorData(data.Type, found, data.Memory) is var shaped && shaped.Type.IsFloating() ? shaped.ToFloat32() : shaped
            : throw new TeacherMismatchException($"--constant {input.Name}={path}: the file has the shape {data.Shape}, the input is {input}; expected [{string.Join(", ", dims)}].");
    }
}
