using Google.Protobuf;
using OnnxDistill.Graph.Io.Proto;
using OnnxDistill.Graph.Model;
using Kind = OnnxDistill.Graph.Io.Proto.AttributeProto.Types.AttributeType;

namespace OnnxDistill.Graph.Io;

/// <summary>Turns the values of an <see cref="AttributeMap"/> into the file format's attributes.</summary>
internal static class AttributeEncoder
{
    /// <summary>The attribute.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value.</param>
    /// <param name="tensors">Encodes a tensor.</param>
    /// <param name="encodeGraph">Encodes a subgraph.</param>
    public static AttributeProto Encode(string name, object value, TensorEncoder tensors, Func<OnnxGraph, GraphProto> encodeGraph) =>
        value switch
        {
            long i => new() { Name = name, Type = Kind.Int, I = i },
            float f => new() { Name = name, Type = Kind.Float, F = f },
            string s => new() { Name = name, Type = Kind.String, S = ByteString.CopyFromUtf8(s) },
            long[] ints => new() { Name = name, Type = Kind.Ints, Ints = { ints } },
            float[] floats => new() { Name = name, Type = Kind.Floats, Floats = { floats } },
            string[] strings => new() { Name = name, Type = Kind.Strings, Strings = { strings.Select(ByteString.CopyFromUtf8) } },
            TensorData tensor => new() { Name = name, Type = Kind.Tensor, T = tensors.Inline(tensor, "") },
            OnnxGraph graph => new() { Name = name, Type = Kind.Graph, G = encodeGraph(graph) },
            AttributeReference reference => new() { Name = name, Type = (Kind)reference.Type, RefAttrName = reference.Name },
            _ => throw new InvalidOperationException(
                $"Attribute '{name}' has the type {value.GetType().Name}, which AttributeMap does not admit."),
        };
}
