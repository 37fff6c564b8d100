using Google.FlatBuffers;

namespace OnnxDistill.Artifacts.OrtTraining;

/// <summary>
/// A table of a FlatBuffer, its fields by number; a field that is left out has its default. Files may be damaged: the buffer checks every number that is read, this type
/// every list. (The library's own Verifier prints what it meets to the console.)
/// </summary>
internal readonly struct FlatTable(ByteBuffer buffer, int position)
{
    private readonly Table _table = new(position, buffer);

    /// <summary>The table that the buffer is about.</summary>
    public static FlatTable Root(ByteBuffer buffer) => new(buffer, buffer.GetInt(buffer.Position) + buffer.Position);

    public bool Has(int field) => Offset(field) > 0;

    public int Int(int field) => Offset(field) is > 0 and var at ? _table.bb.GetInt(_table.bb_pos + at) : 0;

    public long Long(int field, long absent = 0) => Offset(field) is > 0 and var at ? _table.bb.GetLong(_table.bb_pos + at) : absent;

    public float Float(int field) => Offset(field) is > 0 and var at ? _table.bb.GetFloat(_table.bb_pos + at) : 0;

    public bool Bool(int field) => Offset(field) is > 0 and var at && _table.bb.Get(_table.bb_pos + at) != 0;

    public string Text(int field) => Offset(field) is > 0 and var at ? _table.__string(_table.bb_pos + at) : "";

    public FlatTable? Table(int field) => Offset(field) is > 0 and var at ? new FlatTable(_table.bb, _table.__indirect(_table.bb_pos + at)) : null;

    public IEnumerable<FlatTable> Tables(int field)
    {
        var (table, (first, length)) = (_table, Vector(field, sizeof(int)));
        return Enumerable.Range(0, length).Select(i => new FlatTable(table.bb, table.__indirect(first + (sizeof(int) * i))));
    }

    public long[] Longs(int field)
    {
        var (table, (first, length)) = (_table, Vector(field, sizeof(long)));
        return [.. Enumerable.Range(0, length).Select(i => table.bb.GetLong(first + (sizeof(long) * i)))];
    }

    public ReadOnlyMemory<byte> Bytes(int field) => Vector(field, 1) is (var first, > 0 and var length) ? _table.bb.ToArraySegment(first, length) : default;

    // Where a list begins, and how many there are.
    private (int First, int Length) Vector(int field, int elementBytes)
    {
        if (Offset(field) is not (> 0 and var at))
            return (0, 0);
        var (first, length) = (_table.__vector(at), _table.__vector_len(at));
        return first >= 0 && length >= 0 && first + ((long)length * elementBytes) <= _table.bb.Length ? (first, length)
            : throw new InvalidDataException($"a list of {length} elements at byte {first} does not fit into {_table.bb.Length} bytes");
    }

    private int Offset(int field) => _table.__offset(4 + (2 * field));
}
