using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes.OpsetConversions;

/// <summary>TensorScatter (opset 24): a cache with new elements written from a place on, each sample's own.</summary>
internal static class TensorScatterConversion
{
    /// <summary>In terms of ScatterElements along the axis.</summary>
    public static void Lower(NodeRewriter r)
    {
        var update = r.Node.Input(1);
        if (update.KnownShape is not { } shape)
        {
            r.RefuseWithoutShapes("the rank of its update");
            return;
        }
        var axis = shape.Axis(r.Node.Attributes.Int("axis", -2));
        // [S, 1, ...] with as many axes as follow, so that it broadcasts against [N, 1, ..., 1].
        var places = r.Reshape(r.Range(r.Extent(update, "count", axis), "order"), "order_along",
            [-1, .. Enumerable.Repeat(1L, shape.Rank - axis - 1)]);
        if (r.Node.OptionalInput(2) is { } first)
            places = r.Emit("Add", "places", [places, r.Reshape(first, "first", [-1, .. Enumerable.Repeat(1L, shape.Rank - 1)])], type: ElementType.Int64);
        if (r.Node.Attributes.Text("mode", "linear") == "circular")
            places = r.Emit("Mod", "around", [places, r.Extents(r.X, "length", axis, axis + 1)], type: ElementType.Int64);
        var everywhere = r.Emit("Expand", "indices", [places, r.ShapeOf(update, "update_shape")], type: ElementType.Int64);
        r.Replace("ScatterElements", [r.X, everywhere, update], new AttributeMap(("axis", axis)));
    }
}
