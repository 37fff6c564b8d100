using OnnxDistill.Graph;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Importing;

/// <summary>How a network is told classes: as an index, as a one-hot row, or as a row of a table of embeddings.</summary>
internal sealed class LabelInput
{
    private readonly Value _input;
    private readonly int _labels;
    private readonly TensorData? _table;

    /// <summary>The label input, checked against what the options say of it.</summary>
    /// <exception cref="TeacherMismatchException">They do not fit.</exception>
    /// <exception cref="ModelFileException">The table cannot be read.</exception>
    public LabelInput(Value input, ImportOptions options, string file)
    {
        (_input, _labels) = (input, options.Labels);
        var isIndex = InputRoles.IsInteger(input);
        if (options.ClassTable.Length > 0)
            _table = isIndex ? throw new TeacherMismatchException($"'{file}' takes class indices as {input}; leave --class-table out.") : ReadTable(options, input);
        var shape = input.Shape;
        if (isIndex ? shape.Rank != 1 && !(shape.Rank == 2 && shape[1] == 1) : _table is null && !(shape.Rank == 2 && (!shape[1].IsKnown || shape[1].Size == _labels)))
        {
            throw new TeacherMismatchException($"'{file}' takes labels as {input}; with {_labels} classes that has to be an index [N] or [N, 1] of integers, a one-hot row "
                + $"[N, {_labels}] of floats, or an embedding whose rows --class-table FILE.npy gives.");
        }
        var (first, last) = isIndex || _table is not null ? (0, _table is null ? int.MaxValue : (int)_table.Dims[0] - 1) : (_labels, _labels);
        if (options.NullLabel != -1 && (options.NullLabel < first || options.NullLabel > last))
        {
            throw new TeacherMismatchException($"--null-label: found {options.NullLabel}; " + (_table is not null ? $"the table has rows 0 to {last}."
                : isIndex ? "expected -1 for none, or an index." : $"one-hot labels have {_labels}, which stands for a row of zeros, or -1 for none."));
        }
    }

    /// <summary>In words, for the import's own report.</summary>
    public string Form => _table is not null ? $"embedding from a table of {_table.Dims[0]} rows" : InputRoles.IsInteger(_input) ? "index" : "one-hot row";

    /// <summary>Labels [N] of int64 as the input takes them.</summary>
    public Value Encode(GraphBuilder b, Value labels)
    {
        if (_table is not null)
            return b.Gather(b.Constant(_table), labels, 0);
        if (InputRoles.IsInteger(_input))
            return b.Cast(_input.Shape.Rank == 2 ? b.Unsqueeze(labels, 1) : labels, _input.Type);
        // The label after the last one equals no place, which leaves a row of zeros.
        var places = b.Unsqueeze(b.Longs([.. Enumerable.Range(0, _labels).Select(static i => (long)i)]), 0);
        return b.Cast(b.Equal(b.Unsqueeze(labels, 1), places), ElementType.Float32);
    }

    private static TensorData ReadTable(ImportOptions options, Value input)
    {
        var table = NpyFile.Read(options.ClassTable);
        var row = table.Dims.Skip(1).ToArray();
        return table.Type.IsFloating() && table.Dims.Length == input.Shape.Rank && table.Dims[0] >= options.Labels && input.Shape.Skip(1).Zip(row).All(static p => !p.First.IsKnown || p.First.Size == p.Second)
            ? table.ToFloat32()
            : throw new TeacherMismatchException($"--class-table '{options.ClassTable}' is {table.Type}{table.Shape}; for {options.Labels} classes and the input {input} it has to be floats "
                + $"[{options.Labels} or one more, {string.Join(", ", input.Shape.Skip(1))}].");
    }
}
