using Microsoft.ML.OnnxRuntime;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Runtime.Sessions;

/// <summary>An input or output of a session.</summary>
/// <param name="Name">Its name in the graph.</param>
/// <param name="Type">Type of its elements; <see cref="ElementType.Undefined"/> for what is no tensor.</param>
/// <param name="Shape">Known extents and named symbols; an unnamed unknown extent gets a symbol of its own, <c>?name/axis</c>,
/// as in models read from files.</param>
public sealed record Port(string Name, ElementType Type, Shape Shape)
{
    /// <summary>The port that ONNX Runtime's metadata describe. Note that it gives rank 0 both for scalars and for an unknown rank.</summary>
    internal static Port From(string name, NodeMetadata metadata)
    {
        if (!metadata.IsTensor)
            return new Port(name, ElementType.Undefined, Shape.Scalar);
        // The numbers of ONNX Runtime's element types are ONNX's own, like ours.
        var dims = metadata.Dimensions.Select((size, axis) => size >= 0 ? size
            : Dim.Named(metadata.SymbolicDimensions[axis] is { Length: > 0 } symbol ? symbol : $"?{name}/{axis}"));
        return new Port(name, (ElementType)metadata.ElementDataType, new Shape(dims));
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Type}{Shape}";
}
