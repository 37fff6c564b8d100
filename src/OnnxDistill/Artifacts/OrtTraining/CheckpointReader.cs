using System.Text;
using Google.FlatBuffers;
using OnnxDistill.Graph;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Artifacts.OrtTraining;

/// <summary>Reads checkpoints.</summary>
internal static class CheckpointReader
{
    public static OrtCheckpoint Read(string path)
    {
        if (!File.Exists(path))
            throw new ModelFileException($"There is no checkpoint '{path}'.");
        if (new FileInfo(path).Length > Array.MaxLength)
            throw new ModelFileException($"The file '{path}' is larger than 2 GB, which no FlatBuffer can be. Is it a checkpoint's external data?");
        return Read(File.ReadAllBytes(path), path);
    }

    /// <summary>Reads the bytes of a file.</summary>
    internal static OrtCheckpoint Read(byte[] bytes, string path)
    {
        if (bytes.Length < 8 || Encoding.ASCII.GetString(bytes, 4, 4) is not CheckpointTable.Identifier)
            throw new ModelFileException($"The file '{path}' is no checkpoint of ONNX Runtime's training: its bytes 4 to 7 are not '{CheckpointTable.Identifier}'.");
        try
        {
            return Decode(FlatTable.Root(new ByteBuffer(bytes)), path);
        }
        catch (Exception error) when (error is ArgumentException or IndexOutOfRangeException or OverflowException or InvalidDataException)
        {
            throw new ModelFileException($"The checkpoint '{path}' is cut off or damaged: it points outside of its {bytes.Length} bytes.", error);
        }
    }

    private static OrtCheckpoint Decode(FlatTable root, string path)
    {
        if (root.Int(CheckpointTable.Version) is not CheckpointTable.CurrentVersion and var version)
            throw new ModelFileException($"The checkpoint '{path}' has version {version}, expected {CheckpointTable.CurrentVersion}, that of ONNX Runtime up to 1.19.2.");
        if (root.Table(CheckpointTable.ModuleState) is not { } module || !module.Has(ModuleTable.Trainable) || !module.Has(ModuleTable.Frozen))
            throw new ModelFileException($"The checkpoint '{path}' has no lists of trained and frozen parameters. Save it with its module's state.");
        if (module.Bool(ModuleTable.HasExternalData))
            throw new ModelFileException($"The checkpoint '{path}' keeps its numbers in a second file, which is not read here; only one of more than 1.8 GB has to.");

        var nominal = module.Bool(ModuleTable.IsNominal);
        var checkpoint = new OrtCheckpoint
        {
            Trainable = Tensors(module, ModuleTable.Trainable, nominal, path),
            Frozen = Tensors(module, ModuleTable.Frozen, nominal, path),
            IsNominal = nominal,
            Groups = [.. root.Tables(CheckpointTable.OptimizerGroups).Select(g => Group(g, path))],
            Properties = root.Table(CheckpointTable.PropertyBag) is { } bag ? Properties(bag) : new SortedDictionary<string, object>(StringComparer.Ordinal),
        };
        var twice = checkpoint.Trainable.Concat(checkpoint.Frozen).GroupBy(p => p.Name).FirstOrDefault(g => g.Count() > 1 || g.Key.Length == 0);
        return twice is null ? checkpoint : throw new ModelFileException($"The checkpoint '{path}' has {twice.Count()} parameters of the name '{twice.Key}', expected names of their own.");
    }

    private static OrtOptimizerGroup Group(FlatTable group, string path) => new(group.Text(GroupTable.Name), group.Long(GroupTable.Step), group.Float(GroupTable.InitialLearningRate),
        [.. group.Tables(GroupTable.States).Select(s => new OrtMoments(s.Text(MomentsTable.Parameter), Tensors(s, MomentsTable.Moments, nominal: false, path)))]);

    private static OrtParameter[] Tensors(FlatTable table, int field, bool nominal, string path) => [.. table.Tables(field).Select(t => Tensor(t, nominal, path))];

    private static OrtParameter Tensor(FlatTable table, bool nominal, string path)
    {
        var (name, type, dims) = (table.Text(TensorTable.Name), (ElementType)table.Int(TensorTable.DataType), table.Longs(TensorTable.Dims));
        if (nominal)
            return new OrtParameter(name, null);
        if (type.Size() == 0 || table.Long(TensorTable.ExternalDataOffset, TensorTable.Inline) != TensorTable.Inline)
            throw new ModelFileException($"The tensor '{name}' of the checkpoint '{path}' has the element type {(int)type} or lies in another file; expected numbers within the file.");
        try
        {
            return new OrtParameter(name, new TensorData(type, dims, table.Bytes(TensorTable.RawData)));
        }
        catch (Exception error) when (error is ArgumentException or OverflowException)
        {
            throw new ModelFileException($"The tensor '{name}' of the checkpoint '{path}' is damaged: {error.Message}", error);
        }
    }

    private static SortedDictionary<string, object> Properties(FlatTable bag)
    {
        var properties = new SortedDictionary<string, object>(StringComparer.Ordinal);
        foreach (var property in bag.Tables(BagTable.Ints))
            properties[property.Text(PropertyTable.Name)] = property.Long(PropertyTable.Value);
        foreach (var property in bag.Tables(BagTable.Floats))
            properties[property.Text(PropertyTable.Name)] = property.Float(PropertyTable.Value);
        foreach (var property in bag.Tables(BagTable.Strings))
            properties[property.Text(PropertyTable.Name)] = property.Text(PropertyTable.Value);
        return properties;
    }
}
