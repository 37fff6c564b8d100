using System.Runtime.InteropServices;
using Google.FlatBuffers;
using OnnxDistill.Graph;
using OnnxDistill.Graph.Model;
using OnnxDistill.Training;

namespace OnnxDistill.Artifacts.OrtTraining;

/// <summary>Writes checkpoints.</summary>
internal sealed class CheckpointWriter
{
    // A FlatBuffer's offsets end at 2 GiB; this leaves room for names and tables.
    private const long MostBytes = 1_900_000_000;

    private readonly FlatBufferBuilder _builder;

    private CheckpointWriter(int bytes) => _builder = new FlatBufferBuilder(bytes);

    public static void Write(OrtCheckpoint checkpoint, string path)
    {
        var content = Encode(checkpoint);
        AtomicFile.Write(path, stream => stream.Write(content.Span));
    }

    /// <summary>The content of a file.</summary>
    internal static ReadOnlyMemory<byte> Encode(OrtCheckpoint checkpoint)
    {
        List<OrtParameter> parameters = [.. checkpoint.Trainable, .. checkpoint.Frozen];
        if (parameters.GroupBy(p => p.Name).FirstOrDefault(g => g.Count() > 1 || g.Key.Length == 0) is { } wrong)
            throw new ModelFileException($"A checkpoint's parameters need names of their own, found '{wrong.Key}' {wrong.Count()} times.");
        if (!checkpoint.IsNominal && parameters.Find(p => p.Data is null) is { } empty)
            throw new ModelFileException($"The parameter '{empty.Name}' has no numbers, which only a nominal checkpoint may lack.");
        var tensors = parameters.Concat(checkpoint.Groups.SelectMany(g => g.States).SelectMany(s => s.Moments)).ToList();
        var bytes = checkpoint.IsNominal ? 0 : tensors.Sum(t => (long)(t.Data?.Memory.Length ?? 0));
        if (bytes > MostBytes)
            throw new ModelFileException($"The checkpoint's tensors take {bytes} bytes, more than one FlatBuffer holds ({MostBytes}). Train a smaller network in this format.");
        // Names, extents and tables take a few hundred bytes a tensor; the buffer grows where that is not enough.
        return new CheckpointWriter((int)Math.Min(Array.MaxLength, bytes + (256L * tensors.Count) + 1024)).Finish(checkpoint);
    }

    private ReadOnlyMemory<byte> Finish(OrtCheckpoint checkpoint)
    {
        // Children come before their table, and nothing else may be under construction meanwhile.
        var trainable = Tables(checkpoint.Trainable.Select(p => Tensor(p, checkpoint.IsNominal)));
        var frozen = Tables(checkpoint.Frozen.Select(p => Tensor(p, checkpoint.IsNominal)));
        _builder.StartTable(ModuleTable.Fields);
        _builder.AddOffset(ModuleTable.Trainable, trainable, 0);
        _builder.AddOffset(ModuleTable.Frozen, frozen, 0);
        _builder.AddBool(ModuleTable.IsNominal, checkpoint.IsNominal, false);
        var module = _builder.EndTable();
        var groups = Tables(checkpoint.Groups.Select(Group));
        var bag = checkpoint.Properties.Count > 0 ? Bag(checkpoint.Properties) : 0;

        _builder.StartTable(CheckpointTable.Fields);
        _builder.AddInt(CheckpointTable.Version, CheckpointTable.CurrentVersion, 0);
        _builder.AddOffset(CheckpointTable.ModuleState, module, 0);
        _builder.AddOffset(CheckpointTable.OptimizerGroups, groups, 0);
        _builder.AddOffset(CheckpointTable.PropertyBag, bag, 0);
        _builder.Finish(_builder.EndTable(), CheckpointTable.Identifier);
        var content = _builder.DataBuffer;
        return content.ToArraySegment(content.Position, content.Length - content.Position);
    }

    private int Group(OrtOptimizerGroup group)
    {
        var name = Text(group.Name);
        var states = Tables(group.States.Select(Moments));
        _builder.StartTable(GroupTable.Fields);
        _builder.AddOffset(GroupTable.Name, name, 0);
        _builder.AddLong(GroupTable.Step, group.Step, 0);
        _builder.AddFloat(GroupTable.InitialLearningRate, group.InitialLearningRate, 0);
        _builder.AddOffset(GroupTable.States, states, 0);
        return _builder.EndTable();
    }

    private int Moments(OrtMoments state)
    {
        var parameter = Text(state.Parameter);
        var moments = Tables(state.Moments.Select(m => Tensor(m, nominal: false)));
        _builder.StartTable(MomentsTable.Fields);
        _builder.AddOffset(MomentsTable.Parameter, parameter, 0);
        _builder.AddOffset(MomentsTable.Moments, moments, 0);
        return _builder.EndTable();
    }

    private int Tensor(OrtParameter parameter, bool nominal)
    {
        var name = Text(parameter.Name);
        // ONNX Runtime writes names without numbers as floats of no extents and no bytes.
        var (type, extents, memory) = nominal ? (ElementType.Float32, [], default) : (parameter.Data!.Type, parameter.Data.Dims, parameter.Data.Memory); // checked before
        if (type.Size() == 0)
            throw new ModelFileException($"The parameter '{parameter.Name}' is a tensor of {type}, expected numbers.");
        _builder.StartVector(sizeof(long), extents.Length, sizeof(long));
        foreach (var dim in Enumerable.Reverse(extents))
            _builder.AddLong(dim);
        var dims = _builder.EndVector().Value;
        _builder.StartVector(1, memory.Length, 1);
        _builder.Add(MemoryMarshal.TryGetArray(memory, out var segment) ? segment : memory.ToArray());
        var raw = _builder.EndVector().Value;

        _builder.StartTable(TensorTable.Fields);
        _builder.AddOffset(TensorTable.Name, name, 0);
        _builder.AddOffset(TensorTable.Dims, dims, 0);
        _builder.AddInt(TensorTable.DataType, (int)type, 0);
        _builder.AddOffset(TensorTable.RawData, raw, 0);
        return _builder.EndTable();
    }

    private int Bag(IReadOnlyDictionary<string, object> properties)
    {
        int Of<T>(Action<T> addValue) => Tables(properties.Where(p => p.Value is T).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => Property(p.Key, () => addValue((T)p.Value))));

        var ints = Of<long>(value => _builder.AddLong(PropertyTable.Value, value, 0));
        var floats = Of<float>(value => _builder.AddFloat(PropertyTable.Value, value, 0));
        var texts = properties.Where(p => p.Value is string).ToDictionary(p => p.Key, p => Text((string)p.Value));
        var strings = Tables(texts.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => Property(p.Key, () => _builder.AddOffset(PropertyTable.Value, p.Value, 0))));
        if (properties.FirstOrDefault(p => p.Value is not (long or float or string)) is { Key: { } odd })
            throw new ModelFileException($"The property '{odd}' is neither a whole number (long), a float nor a text.");
        _builder.StartTable(BagTable.Fields);
        _builder.AddOffset(BagTable.Ints, ints, 0);
        _builder.AddOffset(BagTable.Floats, floats, 0);
        _builder.AddOffset(BagTable.Strings, strings, 0);
        return _builder.EndTable();
    }

    private int Property(string name, Action addValue)
    {
        var text = Text(name);
        _builder.StartTable(PropertyTable.Fields);
        _builder.AddOffset(PropertyTable.Name, text, 0);
        addValue();
        return _builder.EndTable();
    }

    private int Text(string text) => _builder.CreateString(text).Value;

    // The list is there even when it is empty: ONNX Runtime wants that of both lists of parameters.
    private int Tables(IEnumerable<int> tables)
    {
        int[] made = [.. tables];
        _builder.StartVector(sizeof(int), made.Length, sizeof(int));
        foreach (var table in Enumerable.Reverse(made))
            _builder.AddOffset(table);
        return _builder.EndVector().Value;
    }
}
