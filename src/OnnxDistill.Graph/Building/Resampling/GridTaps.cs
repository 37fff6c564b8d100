using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Building.Resampling;

/// <summary>GridSample in standard operators: for each sampled point the elements of x that it is made of, and how much of each. x is
/// [N, C, extents...], the grid [N, points..., axes] tells places from -1 to 1, the last axis of x first. Flat sizes: P points of a sample, T taps of
/// a point. Everything is smooth in the grid but for the whole part of a place, which floor holds fixed.</summary>
internal sealed class GridTaps
{
    // Keys' cubic convolution with a = -0.75 as polynomials in the place's fraction, one column a tap, one row a power.
    private const double A = -0.75;
    private static readonly double[][] Cubic = [[0, 1, 0, 0], [A, 0, -A, 0], [-2 * A, -A - 3, (2 * A) + 3, A], [A, A + 2, -A - 2, -A]];
    private static readonly double[][] Linear = [[1, 0], [-1, 1]];
    private static readonly double[][] Nearest = [[1]];

    private readonly GraphBuilder _g;
    private readonly Value _x, _grid;
    private readonly bool _alignCorners;
    private readonly string _padding;
    private readonly double[][] _polynomial;
    private readonly Value[] _weights, _slopes;
    private readonly long _taps;

    /// <summary>The taps of a GridSample node of either naming (bilinear or linear, bicubic or cubic).</summary>
    public GridTaps(GraphBuilder g, Node node)
    {
        (_g, _x, _grid) = (g, node.Input(0), node.Input(1));
        _alignCorners = node.Attributes.Int("align_corners", 0) == 1;
        _padding = node.Attributes.Text("padding_mode", "zeros");
        _polynomial = node.Attributes.Text("mode", "linear") switch { "nearest" => Nearest, "cubic" or "bicubic" => Cubic, _ => Linear };
        var places = Axes.Select(Place).ToArray();
        _weights = Array.ConvertAll(places, p => p.Weights);
        _slopes = Array.ConvertAll(places, p => p.Slopes);
        _taps = Axes.Aggregate(1L, (n, _) => n * _polynomial[0].Length);
        var flat = g.Constant(TensorData.Of([.. Enumerable.Range(0, (int)N).Select(n => n * Extents.Aggregate(1L, static (s, e) => s * e))], [N, 1, .. Axes.Select(static _ => 1L)]));
        foreach (var axis in Axes)
            flat = g.Add(flat, g.Mul(g.Cast(places[axis].Indices, ElementType.Int64), g.Constant(TensorData.Of([Extents[(axis + 1)..].Aggregate(1L, static (s, e) => s * e)]))));
        Rows = g.Reshape(flat, Shape.Of(N, P, _taps));
    }

    /// <summary>Rows of x, as [N * size, C], that the taps take: [N, P, T], int64.</summary>
    public Value Rows { get; }

    /// <summary>The weight of each tap: [N, P, T].</summary>
    public Value Weights => _g.Reshape(Product(-1), Shape.Of(N, P, _taps));

    /// <summary>Whether the place matters continuously: nearest has no slope.</summary>
    public bool HasSlope => _polynomial.Length > 1;

    /// <summary>What the taps take: [N, P, T, C].</summary>
    public Value Values()
    {
        var channelsLast = _g.Transpose(_g.Join(_x, 2, Extents.Length), 0, 2, 1);
        return _g.Gather(_g.Join(channelsLast, 0, 2), Rows, 0);
    }

    /// <summary>The sampled points: [N, C, points...].</summary>
    public Value Sample()
    {
        var sums = _g.MatMul(_g.Reshape(Weights, Shape.Of(N, P, 1, _taps)), Values());
        return _g.Reshape(_g.Transpose(_g.Reshape(sums, Shape.Of(N, P, C)), 0, 2, 1), Shape.Of([N, C, .. _grid.Shape.Sizes()[1..^1]]));
    }

    /// <summary>The gradient of the sampled points as rows of channels: [N, P, C].</summary>
    public Value ByPoint(Value dy) => _g.Transpose(_g.Join(dy, 2, dy.Shape.Rank - 2), 0, 2, 1);

    /// <summary>dx: each tap's share of dy added at its row.</summary>
    public Value InputGradient(Value byPoint)
    {
        var shares = _g.Mul(_g.Unsqueeze(Weights, 3), _g.Unsqueeze(byPoint, 2));
        var size = Extents.Aggregate(1L, static (n, e) => n * e);
        var zeros = _g.Full(Shape.Of(N * size, C), 0, _x.Type);
        var sums = _g.ScatterND(zeros, _g.Reshape(Rows, Shape.Of(N * P * _taps, 1)), _g.Join(shares, 0, 3), "add");
        return _g.Reshape(_g.Transpose(_g.Reshape(sums, Shape.Of(N, size, C)), 0, 2, 1), _x.Shape);
    }

    /// <summary>The grid's gradient: what each weight is worth, times how it moves with each coordinate.</summary>
    public Value GridGradient(Value byPoint)
    {
        var worth = _g.Reshape(_g.MatMul(Values(), _g.Unsqueeze(byPoint, 3)), Shape.Of(N, P, _taps));
        var parts = Axes.Reverse().Select(axis => _g.ReduceSum(_g.Mul(worth, _g.Reshape(Product(axis), Shape.Of(N, P, _taps))), [2])).ToArray();
        return _g.Reshape(_g.Concat(2, parts), _grid.Shape);
    }

    private long N => _x.Shape[0].Size;

    private long C => _x.Shape[1].Size;

    private long P => _grid.Shape.Sizes()[1..^1].Aggregate(1L, static (n, d) => n * d);

    private long[] Extents => _x.Shape.Sizes()[2..];

    private IEnumerable<int> Axes => Enumerable.Range(0, _x.Shape.Rank - 2);

    // The product of the axes' weights, or of one axis' slopes with the others' weights: [N, P, taps, taps, ...].
    private Value Product(int moved) => Axes.Select(axis => axis == moved ? _slopes[axis] : _weights[axis]).Aggregate(_g.Mul);

    // Along one axis: indices of the taps, their weights and the weights' slopes in the grid's own unit, each [N, P, 1, .., taps, .., 1].
    private (Value Indices, Value Weights, Value Slopes) Place(int axis)
    {
        var extent = Extents[axis];
        var column = Extents.Length - 1 - axis;
        var coordinate = _g.Slice(_g.Join(_grid, 1, _grid.Shape.Rank - 2), 2, column, column + 1);
        var place = _alignCorners ? _g.Mul(_g.Mul(_g.Add(coordinate, 1), 0.5), extent - 1)
            : _g.Mul(_g.Sub(_g.Mul(_g.Add(coordinate, 1), extent), _g.Scalar(1, coordinate.Type)), 0.5);
        var whole = _g.Emit(HasSlope ? "Floor" : "Round", [place], place.Type, place.Shape);
        var fraction = _g.Sub(place, whole);
        var taps = _polynomial[0].Length;
        var indices = _g.Add(whole, Row([.. Enumerable.Range(taps == 4 ? -1 : 0, taps).Select(static i => (double)i)]));
        var weights = Polynomial(_polynomial, fraction);
        var unit = (_alignCorners ? extent - 1 : extent) / 2.0;
        var slopes = HasSlope ? Polynomial([.. _polynomial.Skip(1).Select((row, power) => Array.ConvertAll(row, c => c * (power + 1) * unit))], fraction) : weights;
        if (_padding == "zeros")
        {
            var zero = _g.Scalar(0, place.Type);
            var inside = _g.And(_g.GreaterOrEqual(indices, zero), _g.LessOrEqual(indices, _g.Scalar(extent - 1, place.Type)));
            (weights, slopes) = (_g.Where(inside, weights, zero), _g.Where(inside, slopes, zero));
        }
        else if (_padding == "reflection")
        {
            indices = Reflected(indices, extent);
        }
        var shape = Shape.Of([N, P, .. Axes.Select(a => a == axis ? (long)taps : 1)]);
        return (_g.Reshape(_g.Clip(indices, 0, extent - 1), shape), _g.Reshape(weights, shape), _g.Reshape(slopes, shape));
    }

    // Horner's scheme: [N, P, 1] to [N, P, taps].
    private Value Polynomial(double[][] coefficients, Value fraction)
    {
        var sum = _g.Expand(Row(coefficients[^1]), Shape.Of(N, P, coefficients[0].Length));
        foreach (var row in coefficients.SkipLast(1).Reverse())
            sum = _g.Add(_g.Mul(sum, fraction), Row(row));
        return sum;
    }

    // Folded at the outermost elements' centres (corners aligned) or at their outer edges.
    private Value Reflected(Value indices, long extent)
    {
        if (extent == 1)
            return indices;
        var period = 2 * (_alignCorners ? extent - 1 : extent);
        var turns = _g.Emit("Floor", [_g.Div(indices, period)], indices.Type, indices.Shape);
        var folded = _g.Sub(indices, _g.Mul(turns, period));
        var mirrored = _g.Sub(_g.Scalar(_alignCorners ? period : period - 1, indices.Type), folded);
        return _g.Min(folded, mirrored);
    }

    private Value Row(double[] numbers) => _g.Constant(_x.Type == ElementType.Float64 ? TensorData.Of(numbers, numbers.Length)
        : TensorData.Of(Array.ConvertAll(numbers, static n => (float)n), numbers.Length));
}
