using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Autodiff.Rules;

/// <summary>Which places of its input each place of a pooling node's output sees. Extents are those that ONNX Runtime found, so
/// auto_pad and ceil_mode need no arithmetic of their own but for where the first window starts.</summary>
internal sealed class PoolWindow
{
    private readonly long[] _kernel, _strides, _dilations, _begins, _ends, _inputs, _outputs;
    private readonly Shape _x;

    /// <summary>The window of that AveragePool or LpPool node.</summary>
    public PoolWindow(Node node)
    {
        _x = node.Input(0).Shape;
        _inputs = _x.Sizes()[2..];
        _outputs = node.Output.Shape.Sizes()[2..];
        _kernel = node.Attributes.Ints("kernel_shape") ?? throw new InvalidOperationException($"{node} has no kernel_shape.");
        var rank = _kernel.Length;
        _strides = node.Attributes.Ints("strides") ?? Ones(rank);
        _dilations = node.Attributes.Ints("dilations") ?? Ones(rank);
        var pads = node.Attributes.Ints("pads") ?? new long[2 * rank];
        (_begins, _ends) = (pads[..rank], pads[rank..]);
        var automatic = node.Attributes.Text("auto_pad", "NOTSET");
        for (var i = 0; i < rank && automatic != "NOTSET"; i++)
        {
            var total = automatic == "VALID" ? 0 : Math.Max(0, Covered(i) - _inputs[i]);
            _begins[i] = automatic == "SAME_LOWER" ? total - (total / 2) : total / 2;
            _ends[i] = total - _begins[i];
        }
    }

    /// <summary>For every input place the sum of u over the output places that see it: u [N, C, outputs...] to [N, C, inputs...].</summary>
    /// <remarks>A transposed convolution with ones does it. Channels go to the batch axis, so that one kernel of one channel serves all.</remarks>
    public Value SumBack(GraphBuilder g, Value u)
    {
        if (IsTiling)
            return Repeat(g, u);
        var rank = _kernel.Length;
        var images = _x[0].Size * _x[1].Size;
        var ones = g.Full(new Shape([1, 1, .. _kernel.Select(k => (Dim)k)]), 1, u.Type);
        // What the last window reaches beyond the input is cut off; what it does not reach gets nothing.
        var beyond = Enumerable.Range(0, rank).Select(i => Covered(i) - _begins[i] - _inputs[i]).ToArray();
        var options = new ConvOptions { Strides = _strides, Dilations = _dilations, Pads = [.. _begins, .. beyond.Select(b => Math.Max(b, 0))] };
        var sum = g.ConvTranspose(g.Reshape(u, new Shape([images, 1, .. _outputs.Select(o => (Dim)o)])), ones, options,
            [.. beyond.Select(b => Math.Max(-b, 0))]);
        return g.Reshape(sum, _x);
    }

    /// <summary>How many places each output place averages over, as a tensor that broadcasts to the output; with pads counted in or not.</summary>
    public TensorData Counts(bool includePads, ElementType type)
    {
        var perAxis = Enumerable.Range(0, _kernel.Length).Select(i => Enumerable.Range(0, (int)_outputs[i])
            .Select(place => Count(i, place, includePads)).ToArray()).ToArray();
        var counts = perAxis.Aggregate(new long[] { 1 }, static (outer, inner) => [.. outer.SelectMany(n => inner, static (n, m) => n * m)]);
        if (counts.Distinct().Count() == 1)
            return TensorData.Scalar(counts[0], type);
        long[] dims = [1, 1, .. _outputs];
        return type == ElementType.Float64 ? TensorData.Of(Array.ConvertAll(counts, static n => (double)n), dims)
            : TensorData.Of(Array.ConvertAll(counts, static n => (float)n), dims);
    }

    // Windows that neither overlap nor leave gaps, pads or a rest: what downsampling by a whole factor has.
    private bool IsTiling => Enumerable.Range(0, _kernel.Length).All(i =>
        _kernel[i] == _strides[i] && _dilations[i] == 1 && _begins[i] == 0 && _outputs[i] * _kernel[i] == _inputs[i]);

    // Of images in float32 ONNX Runtime's nearest interpolation makes it thirty times as fast as Expand (0.2 ms against 6 for [32, 32, 32, 32], 2 cores).
    private Value Repeat(GraphBuilder g, Value u)
    {
        if (_kernel.Length == 2 && u.Type == ElementType.Float32)
            return g.RepeatPlaces(g.Reshape(u, new Shape([_x[0], _x[1], .. _outputs.Select(o => (Dim)o)])), _kernel);
        var spread = new Shape([_x[0], _x[1], .. _outputs.SelectMany(o => new Dim[] { o, 1 })]);
        var repeated = new Shape([_x[0], _x[1], .. _outputs.SelectMany((o, i) => new Dim[] { o, _kernel[i] })]);
        return g.Reshape(g.Expand(g.Reshape(u, spread), repeated), _x);
    }

    private long Count(int axis, int place, bool includePads)
    {
        var first = (place * _strides[axis]) - _begins[axis];
        var limit = _inputs[axis] + (includePads ? _ends[axis] : 0);
        return Enumerable.Range(0, (int)_kernel[axis]).Select(k => first + (k * _dilations[axis])).Count(at => at < limit && (includePads || at >= 0));
    }

    /// <summary>Places from the first that the first window sees to the last that the last one does.</summary>
    private long Covered(int axis) => ((_outputs[axis] - 1) * _strides[axis]) + ((_kernel[axis] - 1) * _dilations[axis]) + 1;

    private static long[] Ones(int count) => [.. Enumerable.Repeat(1L, count)];
}
