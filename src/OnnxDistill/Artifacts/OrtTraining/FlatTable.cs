using Google.FlatBuffers;

namespace OnnxDistill.Artifacts.OrtTraining;

/// <summary>A table of a verified FlatBuffer, its fields by number; a field that is left out has its default.</summary>
internal readonly struct FlatTable(ByteBuffer buffer, int position)
{
    private readonly Table _table = new(position, buffer);

    /// <summary>The table that the buffer is about.</summary>
    public static FlatTable Root(ByteBuffer buffer) => new(buffer, buffer.GetInt(buffer.Position) + buffer.Position);

    public bool Has(int field) => Offset(field) != 0;

    public int Int(int field) => Offset(field) is > 0 and var at ? _table.bb.GetInt(_table.bb_pos + at) : 0;

    public long Long(int field, long absent = 0) => Offset(field) is > 0 and var at ? _table.bb.GetLong(_table.bb_pos + at) : absent;

    public float Float(int field) => Offset(field) is > 0 and var at ? _table.bb.GetFloat(_table.bb_pos + at) : 0;

    public bool Bool(int field) => Offset(field) is > 0 and var at && _table.bb.Get(_table.bb_pos + at) != 0;

    public string Text(int field) => Offset(field) is > 0 and var at ? _table.__string(_table.bb_pos + at) : "";

    public FlatTable? Table(int field) => Offset(field) is > 0 and var at ? new FlatTable(_table.bb, _table.__indirect(_table.bb_pos + at)) : null;

    public IEnumerable<FlatTable> Tables(int field)
    {
        var table = _table;
        if (Offset(field) is not (> 0 and var at))
            return [];
        var first = table.__vector(at);
        return Enumerable.Range(0, table.__vector_len(at)).Select(i => new FlatTable(table.bb, table.__indirect(first + (4 * i))));
    }

    public long[] Longs(int field) => Offset(field) is > 0 ? _table.__vector_as_array<long>(VtableOffset(field)) ?? [] : [];

    public ReadOnlyMemory<byte> Bytes(int field) => Offset(field) is > 0 ? _table.__vector_as_arraysegment(VtableOffset(field)) ?? default : default;

    private int Offset(int field) => _table.__offset(VtableOffset(field));

    private static int VtableOffset(int field) => 4 + (2 * field);
}
