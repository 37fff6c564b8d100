using OnnxDistill.Graph;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Verification;

/// <summary>Checks the gradients that OnnxDistill generates for a model against central differences of the model itself on ONNX Runtime.</summary>
public static class GradientCheck
{
    /// <summary>Differentiates sum(cotangent * output) for a random cotangent and compares, along random directions, with respect to every
    /// floating input and weight: each on its own, and all together.</summary>
    /// <param name="model">A model of opset 7 to 25; it is not changed.</param>
    /// <param name="feeds">Tensors for some or all inputs; the others are random.</param>
    /// <param name="options">How; defaults when null.</param>
    /// <exception cref="ArgumentException">Batch or feeds do not fit the model.</exception>
    /// <exception cref="UnsupportedOpException">The model cannot be converted or differentiated; all reasons at once.</exception>
    /// <exception cref="CheckFailedException">The model has nothing to differentiate, or its outputs are not finite at these feeds.</exception>
    public static GradientCheckReport Run(OnnxModel model, IReadOnlyDictionary<string, TensorData>? feeds = null, GradientCheckOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        feeds ??= new Dictionary<string, TensorData>();
        options ??= new GradientCheckOptions();
        return Run(CheckedModel.Prepare(model, feeds, options), feeds, options);
    }

    /// <summary>The check of a prepared model; tests hand in graphs whose gradient is wrong on purpose.</summary>
    internal static GradientCheckReport Run(CheckedModel model, IReadOnlyDictionary<string, TensorData> feeds, GradientCheckOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Directions, 1);
        using var program = new GradientProgram(model.Graph, model.Weights, options.Device, options.Target);
        if (program.Outputs.Count == 0 || program.Variables.Count == 0)
            throw new CheckFailedException($"The model '{model.Graph.Name}' has no floating output, or no floating input or weight: there is no gradient to check.");

        var point = Point(model, feeds, options.Seed);
        var cotangents = program.Outputs.ToDictionary(o => GradientProgram.CotangentOf(o.Name),
            o => RandomFeeds.Normal(new Value(GradientProgram.CotangentOf(o.Name), o.Type, o.Shape), options.Seed));
        if (!double.IsFinite(program.Scalar(point, cotangents)))
            throw new CheckFailedException($"The outputs of '{model.Graph.Name}' are not finite at these feeds. Give others with --feeds.");

        var gradients = program.Gradients(point, cotangents);
        var tensors = program.Variables.Select(name => new MovedTensor(name, point[name], gradients.GetValueOrDefault(name)?.ToDoubles())).ToList();
        var rounding = program.Rounding(point, cotangents);
        GradientCheckRow Row(string name, IReadOnlyList<MovedTensor> moved)
        {
            var found = DirectionalComparison.Of(moved, changes => program.Scalar(With(point, changes), cotangents),
                program.IsDouble ? CentralDifference.DoubleStep : CentralDifference.SingleStep, options.Directions, options.Seed, rounding);
            return new GradientCheckRow(name, moved.Sum(t => t.At.ElementCount), found.Analytic, found.Numeric, found.Error, found.Uncertainty, options.Tolerance);
        }
        return new GradientCheckReport([Row(GradientCheckReport.All, tensors), .. tensors.Select(t => Row(t.Name, [t]))], model.Graph.Nodes.Count,
            program.GradientModel.Graph.Nodes.Count);
    }

    private static Dictionary<string, TensorData> Point(CheckedModel model, IReadOnlyDictionary<string, TensorData> feeds, long seed)
    {
        var point = model.Graph.Inputs.ToDictionary(i => i.Name, i => feeds.GetValueOrDefault(i.Name) ?? RandomFeeds.For(i, seed));
        var halves = new List<string>();
        foreach (var weight in model.Graph.Initializers.Where(i => model.Weights.Contains(i.Name)))
            point[weight.Name] = weight.Constant!; // an initializer has its data
        foreach (var (name, tensor) in point.Where(p => IsHalf(p.Value.Type)))
            halves.Add($"{name}: {tensor.Type}");
        // One result in half precision is enough to drown a difference in rounding.
        halves.AddRange(model.Graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().Where(v => IsHalf(v.Type)).Select(v => $"{v.Name}: {v.Type}"));
        return halves.Count == 0 ? point
            : throw new UnsupportedOpException($"Differences need float32 or float64, found {string.Join(", ", halves.Take(5))}. Export the model in float32.");
    }

    private static bool IsHalf(ElementType type) => type is ElementType.Float16 or ElementType.BFloat16;

    private static Dictionary<string, TensorData> With(Dictionary<string, TensorData> point, IReadOnlyDictionary<string, TensorData> changes)
    {
        var moved = new Dictionary<string, TensorData>(point);
        foreach (var (name, tensor) in changes)
            moved[name] = tensor;
        return moved;
    }
}
