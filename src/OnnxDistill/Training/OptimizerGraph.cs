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
    /// <summary>Input, scalar: what the gradient is multiplied by first, 1 over its loss's scale; absent unless the loss is scaled.</summary>
    public const string GradientScale = "gradient_scale";
    /// <summary>Output, scalar: the gradient's norm before clipping; not finite when any number of the gradient is not.</summary>
    public const string GradientNorm = "gradient_norm";

    /// <summary>Output, scalar: how many numbers of the gradient were not finite and have been replaced; absent unless the options say so.</summary>
    public const string Replaced = "replaced";

    /// <summary>What an infinite number of the gradient becomes, with its sign, under <see cref="NonFiniteGradients.Zero"/> (methods.md 3.1).</summary>
    internal const double InfinityBecomes = 1e5;

    /// <summary>Output of a block's norm graph, scalar: the norm after clipping by value; absent unless values and norm are clipped.</summary>
    internal const string ClippedNorm = "clipped_norm";
    /// <summary>Input of a block's graph, scalar: what clipping by norm multiplies the gradient by; absent where nothing is clipped by norm.</summary>
    internal const string ClipFactor = "clip_factor";

    /// <summary>Input: the gradient of the rounds before.</summary>
    internal const string Sum = "gradient_sum";

    private static readonly Dim BlockLength = Dim.Named("block");

    /// <summary>Name of the output that replaces an input.</summary>
    public static string Next(string input) => $"{input}_next";

    /// <summary>The vectors that go in and come out, in order.</summary>
    public static IReadOnlyList<string> State(OptimizerOptions options, bool ema) =>
        [Weights, .. options.Beta1 > 0 ? new[] { FirstMoment } : [], SecondMoment, .. ema ? new[] { Ema } : []];

    /// <summary>The scalars that the host feeds each step, in order.</summary>
    public static IReadOnlyList<string> Scalars(OptimizerOptions options, bool ema) =>
        [StepSize, SecondScale, .. options.WeightDecay > 0 ? new[] { Decay } : [], .. ema ? new[] { EmaShare } : []];

    /// <summary>The norms that a step over blocks needs of each, the one that clipping by norm looks at last.</summary>
    internal static IReadOnlyList<string> Norms(OptimizerOptions options) =>
        options is { ClipValue: > 0, ClipNorm: > 0 } ? [GradientNorm, ClippedNorm] : [GradientNorm];

    /// <summary>The scalars that a step over blocks gets of each block.</summary>
    internal static IReadOnlyList<string> Measures(OptimizerOptions options) =>
        [.. Norms(options), .. options.NonFinite == NonFiniteGradients.Zero ? new[] { Replaced } : []];

    /// <summary>Builds the graph for a flat vector of that many elements.</summary>
    /// <param name="length">Elements of the vector.</param>
    /// <param name="options">Settings.</param>
    /// <param name="ema">Whether an average of the weights is kept.</param>
    /// <param name="lanes">Parts of the batch, each with a gradient of its own, whose mean is the gradient.</param>
    /// <param name="scaled">Whether the gradients are those of a scaled loss, see <see cref="GradientScale"/>.</param>
    public static OnnxModel Build(long length, OptimizerOptions options, bool ema, int lanes = 1, bool scaled = false)
    {
        var b = Builder("optimizer", scaled);
        var vectors = Vectors(b, options, ema, length);
        var gradient = Norms(b, options, length, lanes, lanes) is var (clipped, norm) && options.ClipNorm > 0
            // The 1e-6 is PyTorch's guard against a zero norm.
            ? b.Mul(clipped, b.Min(b.Div(b.Scalar(options.ClipNorm), b.Add(norm, 1e-6)), b.Scalar(1))) : clipped;
        Update(b, options, vectors, gradient, lanes);
        return new OnnxModel(b.Graph);
    }

    /// <summary>
    /// The graph for a block of the vector, of any length. Where the whole vector's norm decides on the clipping it is a scalar input,
    /// <see cref="ClipFactor"/>, and <see cref="BuildBlockNorm"/> has to run on every block before; else the block's norm is an output.
    /// </summary>
    /// <param name="options">Settings.</param>
    /// <param name="ema">Whether an average of the weights is kept.</param>
    /// <param name="inputs">Gradients that are added up.</param>
    /// <param name="parts">Parts of the batch, of which their sum is divided by.</param>
    /// <param name="scaled">Whether the gradients are those of a scaled loss.</param>
    internal static OnnxModel BuildBlock(OptimizerOptions options, bool ema, int inputs, int parts, bool scaled)
    {
        var b = Builder("optimizer block", scaled);
        var vectors = Vectors(b, options, ema, BlockLength);
        var gradient = options.ClipNorm > 0
            ? b.Mul(Clipped(b, options, Cleaned(b, options, Total(b, BlockLength, inputs), parts), parts), b.Input(ClipFactor, ElementType.Float32, Shape.Scalar))
            : Norms(b, options, BlockLength, inputs, parts).Gradient;
        Update(b, options, vectors, gradient, parts);
        return new OnnxModel(b.Graph);
    }

    /// <summary>The <see cref="Measures"/> of a block's gradient.</summary>
    internal static OnnxModel BuildBlockNorm(OptimizerOptions options, int inputs, int parts, bool scaled)
    {
        var b = Builder("gradient norm", scaled);
        if (Norms(b, options, BlockLength, inputs, parts).Norm is var norm && Norms(options).Contains(ClippedNorm))
            b.Output(ClippedNorm, norm);
        return new OnnxModel(b.Graph);
    }

    /// <summary>The graph that adds a round's gradients up in a block: the lanes', and from the second round on the sum so far.</summary>
    internal static OnnxModel BuildBlockSum(int lanes, bool first)
    {
        var b = new GraphBuilder("gradient sum");
        var total = Total(b, BlockLength, lanes);
        b.Output(Next(Sum), first ? lanes == 1 ? b.Sum(total) : total : b.Add(b.Input(Sum, ElementType.Float32, Shape.Of(BlockLength)), total));
        return new OnnxModel(b.Graph);
    }

    // From here on "gradient" is the sum over the parts: that it is a mean is left to the factors that it meets anyway, which saves a pass.
    private static Value Total(GraphBuilder b, Dim length, int lanes)
    {
        var gradients = Enumerable.Range(0, lanes).Select(lane => b.Input(LaneGradient(lane), ElementType.Float32, Shape.Of(length))).ToArray();
        var total = lanes == 1 ? gradients[0] : b.Sum(gradients);
        // Before anything clips or measures: limits and norms are those of the loss itself.
        return b.Graph.Inputs.Find(i => i.Name == GradientScale) is { } scale ? b.Mul(total, scale) : total;
    }

    private static GraphBuilder Builder(string name, bool scaled)
    {
        var b = new GraphBuilder(name);
        if (scaled)
            b.Input(GradientScale, ElementType.Float32, Shape.Scalar);
        return b;
    }

    // The papers' rule on the mean gradient: nan becomes 0, an infinity keeps its sign and becomes finite; clipping leaves nan alone, but not an infinity.
    private static Value Cleaned(GraphBuilder b, OptimizerOptions options, Value total, int parts)
    {
        if (options.NonFinite != NonFiniteGradients.Zero)
            return total;
        var limit = InfinityBecomes * parts;
        var bounded = b.Where(b.IsInf(total), b.Clip(total, -limit, limit), total);
        return b.Where(b.IsNaN(total), b.Scalar(0), bounded);
    }

    private static Value Clipped(GraphBuilder b, OptimizerOptions options, Value total, int parts) =>
        options.ClipValue > 0 ? b.Clip(total, -options.ClipValue * parts, options.ClipValue * parts) : total;

    // The gradient clipped by value, and its norm; the norm before is an output, and so is the count of what was replaced.
    private static (Value Gradient, Value Norm) Norms(GraphBuilder b, OptimizerOptions options, Dim length, int inputs, int parts)
    {
        var raw = Total(b, length, inputs);
        var total = Cleaned(b, options, raw, parts);
        var norm = Norm(total);
        b.Output(GradientNorm, norm);
        if (options.NonFinite == NonFiniteGradients.Zero)
        {
            // In float32 exact up to 16 million numbers a block.
            var bad = b.Cast(b.Or(b.IsNaN(raw), b.IsInf(raw)), ElementType.Float32);
            b.Output(Replaced, b.ReduceSum(bad, keepDims: false));
        }
        var gradient = Clipped(b, options, total, parts);
        return (gradient, Norms(options).Contains(ClippedNorm) ? Norm(gradient) : norm);

        Value Norm(Value x) => b.Mul(b.Emit("ReduceL2", [x], ElementType.Float32, Shape.Scalar, ("keepdims", 0)), 1.0 / parts);
    }

    private static Dictionary<string, Value> Vectors(GraphBuilder b, OptimizerOptions options, bool ema, Dim length) =>
        State(options, ema).ToDictionary(n => n, n => b.Input(n, ElementType.Float32, Shape.Of(length)));

    private static void Update(GraphBuilder b, OptimizerOptions options, Dictionary<string, Value> vectors, Value gradient, int parts)
    {
        var ema = vectors.ContainsKey(Ema);
        var scalars = Scalars(options, ema).ToDictionary(n => n, n => b.Input(n, ElementType.Float32, Shape.Scalar));
        var share = 1.0 / parts;

        var first = gradient;
        if (options.Beta1 > 0)
        {
            first = b.Add(b.Mul(vectors[FirstMoment], options.Beta1), b.Mul(gradient, (1 - options.Beta1) * share));
            b.Output(Next(FirstMoment), first);
            share = 1;
        }
        // The factor first: the square alone might overflow where the second moment does not.
        var square = b.Mul(b.Mul(gradient, (1 - options.Beta2) / parts / parts), gradient);
        var second = b.Add(b.Mul(vectors[SecondMoment], options.Beta2), square);
        b.Output(Next(SecondMoment), second);

        // first * step / (sqrt(second) * scale + epsilon), divided by the scale above and below: numbers in place of a pass.
        var (scale, step) = (scalars[SecondScale], scalars[StepSize]);
        var denominator = b.Add(b.Sqrt(second), b.Div(b.Scalar(options.Epsilon), scale));
        var update = b.Div(b.Mul(first, b.Div(b.Mul(step, share), scale)), denominator);
        var decayed = options.WeightDecay > 0 ? b.Mul(vectors[Weights], b.Sub(b.Scalar(1), scalars[Decay])) : vectors[Weights];
        var weights = b.Sub(decayed, update);
        b.Output(Next(Weights), weights);
        if (ema)
            b.Output(Next(Ema), b.Add(vectors[Ema], b.Mul(b.Sub(weights, vectors[Ema]), scalars[EmaShare])));
    }
}
