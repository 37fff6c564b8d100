namespace OnnxDistill.Graph.Io;

/// <summary>Brings the elements of an array to the order that memory has here: little-endian bytes, last axis fastest.</summary>
internal static class NpyLayout
{
    /// <summary>Elements with their bytes the other way round.</summary>
    public static byte[] Swapped(ReadOnlySpan<byte> data, int size)
    {
        var bytes = data.ToArray();
        for (var at = 0; at < bytes.Length; at += size)
            bytes.AsSpan(at, size).Reverse();
        return bytes;
    }

    /// <summary>Elements in C order, from Fortran order (first axis fastest), as numpy saves a transposed array.</summary>
    public static byte[] FromFortran(ReadOnlySpan<byte> data, int size, long[] dims)
    {
        var bytes = new byte[data.Length];
        var strides = new long[dims.Length];
        for (var (axis, stride) = (0, 1L); axis < dims.Length; stride *= dims[axis++])
            strides[axis] = stride;
        var index = new long[dims.Length];
        var source = 0L;
        for (var at = 0; at < bytes.Length; at += size)
        {
            data.Slice((int)(source * size), size).CopyTo(bytes.AsSpan(at));
            for (var axis = dims.Length - 1; axis >= 0; axis--)
            {
                source += strides[axis];
                if (++index[axis] < dims[axis])
                    break;
                source -= strides[axis] * dims[axis];
                index[axis] = 0;
            }
        }
        return bytes;
    }
}
