using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Recipes;

namespace OnnxDistill.Training;

/// <summary>
/// Adam or AdamW as a graph on the flat vector, whatever the network: about twenty nodes. Weights, moments and EMA go in and come out
/// as different vectors (ping-pong), so a step that is not wanted is undone by not swapping. The last element-wise operation makes
/// every output, because ONNX Runtime copies outputs that end in Reshape, Squeeze or Identity.
/// </summary>
/// <remarks>Adam: Kingma and Ba 2015 (arXiv 1412.6980), algorithm 1; AdamW: Loshchilov and Hutter 2019 (arXiv 1711.05101).</remarks>
public static class OptimizerGraph
{
    /// <summary>Input: the weights.</summary>
    public const string Weights = "weights";
    /// <summary>Input: their gradient.</summary>
    public const string Gradient = "gradient";
    /// <summary>Input: the gradient of a lane's part of the batch; lane 0's has the plain name.</summary>
    public static string LaneGradient(int lane) => lane == 0 ? Gradient : $"{Gradient}_{lane}";
    /// <summary>Input: first moment; absent when beta1 is 0, where it equals the gradient.</summary>
    public const string FirstMoment = "first_moment";
    /// <summary>Input: second moment.</summary>
    public const string SecondMoment = "second_moment";
    /// <summary>Input: exponential moving average of the weights; absent for networks without one.</summary>
    public const string Ema = "ema";
    /// <summary>Input, scalar: learning rate of this step divided by 1 - beta1^step.</summary>
    public const string StepSize = "step_size";
    /// <summary>Input, scalar: 1 / sqrt(1 - beta2^step).</summary>
    public const string SecondScale = "second_scale";
    /// <summary>Input, scalar: learning rate times weight decay; absent without decay.</summary>
    public const string Decay = "decay";
    /// <summary>Input, scalar: 1 - beta of the EMA, the share of the new weights.</summary>
    public const string EmaShare = "ema_share";
    /// <summary>Output, scalar: the gradient's norm before clipping; not finite when any number of the gradient is not.</summary>
    public const string GradientNorm = "gradient_norm";

    /// <summary>Name of the output that replaces an input.</summary>
    public static string Next(string input) => $"{input}_next";

    /// <summary>The vectors that go in and come out, in order.</summary>
    public static IReadOnlyList<string> State(OptimizerOptions options, bool ema) =>
        [Weights, .. options.Beta1 > 0 ? new[] { FirstMoment } : [], SecondMoment, .. ema ? new[] { Ema } : []];

    /// <summary>The scalars that the host feeds each step, in order.</summary>
    public static IReadOnlyList<string> Scalars(OptimizerOptions options, bool ema) =>
        [StepSize, SecondScale, .. options.WeightDecay > 0 ? new[] { Decay } : [], .. ema ? new[] { EmaShare } : []];

    /// <summary>Builds the graph for a flat vector of that many elements.</summary>
    /// <param name="length">Elements of the vector.</param>
    /// <param name="options">Settings.</param>
    /// <param name="ema">Whether an average of the weights is kept.</param>
    /// <param name="lanes">Parts of the batch, each with a gradient of its own, whose mean is the gradient.</param>
    public static OnnxModel Build(long length, OptimizerOptions options, bool ema, int lanes = 1)
    {
        var b = new GraphBuilder("optimizer");
        var shape = Shape.Of(length);
        var vectors = State(options, ema).Concat(Enumerable.Range(0, lanes).Select(LaneGradient)).ToDictionary(n => n, n => b.Input(n, ElementType.Float32, shape));
        var scalars = Scalars(options, ema).ToDictionary(n => n, n => b.Input(n, ElementType.Float32, Shape.Scalar));

        var raw = vectors[Gradient];
        if (lanes > 1)
            raw = b.Div(b.Sum([.. Enumerable.Range(0, lanes).Select(lane => vectors[LaneGradient(lane)])]), lanes);
        var norm = b.Emit("ReduceL2", [raw], ElementType.Float32, Shape.Scalar, ("keepdims", 0));
        b.Output(GradientNorm, norm);
        var gradient = options.ClipValue > 0 ? b.Clip(raw, -options.ClipValue, options.ClipValue) : raw;
        if (options.ClipNorm > 0)
        {
            // Clipped values have a norm of their own; the 1e-6 is PyTorch's guard against a zero norm.
            var clipped = options.ClipValue > 0 ? b.Emit("ReduceL2", [gradient], ElementType.Float32, Shape.Scalar, ("keepdims", 0)) : norm;
            gradient = b.Mul(gradient, b.Min(b.Div(b.Scalar(options.ClipNorm), b.Add(clipped, 1e-6)), b.Scalar(1)));
        }

        var first = gradient;
        if (options.Beta1 > 0)
        {
            first = b.Add(b.Mul(vectors[FirstMoment], options.Beta1), b.Mul(gradient, 1 - options.Beta1));
            b.Output(Next(FirstMoment), first);
        }
        var second = b.Add(b.Mul(vectors[SecondMoment], options.Beta2), b.Mul(b.Square(gradient), 1 - options.Beta2));
        b.Output(Next(SecondMoment), second);

        var denominator = b.Add(b.Mul(b.Sqrt(second), scalars[SecondScale]), options.Epsilon);
        var update = b.Div(b.Mul(first, scalars[StepSize]), denominator);
        var decayed = options.WeightDecay > 0 ? b.Mul(vectors[Weights], b.Sub(b.Scalar(1), scalars[Decay])) : vectors[Weights];
        var weights = b.Sub(decayed, update);
        b.Output(Next(Weights), weights);
        if (ema)
            b.Output(Next(Ema), b.Add(vectors[Ema], b.Mul(b.Sub(weights, vectors[Ema]), scalars[EmaShare])));
        return new OnnxModel(b.Graph);
    }
}
