namespace OnnxDistill.Graph.Building;

/// <summary>One axis of ONNX's Slice after its clamping rules: which elements are taken.</summary>
/// <param name="Start">Index of the first element taken.</param>
/// <param name="Step">Distance between elements, negative when going backwards.</param>
/// <param name="Count">Number of elements taken.</param>
public readonly record struct SliceRange(long Start, long Step, long Count)
{
    /// <summary>Resolves start, end and step against an axis of that extent, as the operator's specification says.</summary>
    public static SliceRange Of(long extent, long start, long end, long step)
    {
        if (step == 0)
            throw new ArgumentException("Slice needs a step other than 0.");
        start = start < 0 ? start + extent : start;
        end = end < 0 ? end + extent : end;
        // Going backwards the end may lie one before the first element; INT_MIN-like ends mean just that.
        (start, end) = step > 0
            ? (Math.Clamp(start, 0, extent), Math.Clamp(end, 0, extent))
            : (Math.Clamp(start, 0, extent - 1), Math.Clamp(end, -1, extent - 1));
        var distance = step > 0 ? end - start : start - end;
        var stride = Math.Abs(step);
        return new SliceRange(start, step, distance <= 0 ? 0 : (distance + stride - 1) / stride);
    }
}
