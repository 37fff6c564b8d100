using OnnxDistill.Graph.Io.Proto;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Io;

/// <summary>Types and shapes of values, between the file format and the graph model.</summary>
internal static class ValueTypes
{
    /// <summary>Starts the symbols of extents that have no name in the file. They are unlike each other, and written without a name
    /// again.</summary>
    private const char Unnamed = '?';

    /// <summary>Adds what the file says to what is known of the value; maps, optionals and sequences of sequences leave it unknown.</summary>
    public static void Learn(Value value, TypeProto? proto)
    {
        if (proto?.SequenceType?.ElemType?.TensorType is { } element && Enum.IsDefined((ElementType)element.ElemType))
            value.SequenceOf = (ElementType)element.ElemType;
        if (proto?.TensorType is not { } tensor)
            return;
        var type = (ElementType)tensor.ElemType;
        if (value.Type == ElementType.Undefined && Enum.IsDefined(type))
            value.Type = type;
        if (value.KnownShape is null && tensor.Shape is not null)
            value.KnownShape = new Shape(tensor.Shape.Dim.Select((d, axis) => Extent(d, $"{Unnamed}{value.Name}/{axis}")));
    }

    /// <summary>The value as the file format describes it; a value of unknown type is described by its name alone.</summary>
    public static ValueInfoProto Describe(Value value)
    {
        var info = new ValueInfoProto { Name = value.Name };
        if (value.SequenceOf != ElementType.Undefined)
        {
            var element = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)value.SequenceOf } };
            info.Type = new TypeProto { SequenceType = new TypeProto.Types.Sequence { ElemType = element } };
            return info;
        }
        if (value.Type == ElementType.Undefined)
            return info;
        info.Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)value.Type } };
        if (value.KnownShape is { } shape)
            info.Type.TensorType.Shape = new TensorShapeProto { Dim = { shape.Select(Extent) } };
        return info;
    }

    private static Dim Extent(TensorShapeProto.Types.Dimension proto, string unnamed) =>
        proto.HasDimParam && proto.DimParam.Length > 0 ? Dim.Named(proto.DimParam)
        : proto.HasDimValue && proto.DimValue >= 0 ? proto.DimValue
        : Dim.Named(unnamed);

    private static TensorShapeProto.Types.Dimension Extent(Dim dim) =>
        dim.Symbol is null ? new() { DimValue = dim.Size }
        : dim.Symbol.StartsWith(Unnamed) ? new()
        : new() { DimParam = dim.Symbol };
}
