using OnnxDistill.Graph.Io.Proto;
using OnnxDistill.Graph.Model;
using Kind = OnnxDistill.Graph.Io.Proto.AttributeProto.Types.AttributeType;

namespace OnnxDistill.Graph.Io;

/// <summary>Turns the file format's attributes into the values that <see cref="AttributeMap"/> holds.</summary>
internal static class AttributeDecoder
{
    /// <summary>The attributes that could be read; what is wrong with the others is noted.</summary>
    /// <param name="protos">The attributes of one node or function.</param>
    /// <param name="where">The node as messages name it.</param>
    /// <param name="context">Takes the findings.</param>
    /// <param name="readGraph">Reads a subgraph.</param>
    public static AttributeMap Decode(IEnumerable<AttributeProto> protos, string where, ReadContext context,
        Func<GraphProto, OnnxGraph> readGraph) =>
        new(protos.Select(p => (p.Name, Decode(p, $"attribute '{p.Name}' of {where}", context, readGraph))));

    private static object? Decode(AttributeProto proto, string where, ReadContext context, Func<GraphProto, OnnxGraph> readGraph)
    {
        if (proto.RefAttrName.Length > 0)
            return new AttributeReference(proto.RefAttrName, (int)proto.Type);
        switch (proto.Type == Kind.Undefined ? Infer(proto) : proto.Type)
        {
            case Kind.Float:
                return proto.F;
            case Kind.Int:
                return proto.I;
            case Kind.String:
                return Utf8Text.Decode([proto.S], where, context)?[0];
            case Kind.Floats:
                return proto.Floats.ToArray();
            case Kind.Ints:
                return proto.Ints.ToArray();
            case Kind.Strings:
                return Utf8Text.Decode(proto.Strings, where, context);
            case Kind.Tensor when proto.T is not null:
                return TensorDecoder.Decode(proto.T, where, context);
            case Kind.Graph when proto.G is not null:
                return readGraph(proto.G);
            case Kind.Undefined or Kind.Tensor or Kind.Graph:
                context.Damaged($"{where} has no value");
                return null;
            default:
                context.Unsupported($"{where} is of the kind {proto.Type}");
                return null;
        }
    }

    /// <summary>Writers before IR version 2 left the kind out: it is that of the one field which is there.</summary>
    private static Kind Infer(AttributeProto proto) =>
        proto.HasF ? Kind.Float
        : proto.HasI ? Kind.Int
        : proto.HasS ? Kind.String
        : proto.T is not null ? Kind.Tensor
        : proto.G is not null ? Kind.Graph
        : proto.Floats.Count > 0 ? Kind.Floats
        : proto.Ints.Count > 0 ? Kind.Ints
        : proto.Strings.Count > 0 ? Kind.Strings
        : Kind.Undefined;
}
