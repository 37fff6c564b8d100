using OnnxDistill.Graph.Model;

namespace OnnxDistill.Tests.Gradients;

/// <summary>One node whose gradients are checked: a row of the table.</summary>
/// <param name="Op">The operator.</param>
/// <param name="Form">What is special about this row, for the test's name; rows of one operator differ in it.</param>
/// <param name="Inputs">The node's inputs; null where one is left out.</param>
/// <param name="Attributes">The node's attributes.</param>
internal sealed record GradientCase(string Op, string Form, Arg?[] Inputs, params (string Name, object? Value)[] Attributes)
{
    /// <summary>Number of outputs; all floating ones get a cotangent.</summary>
    public int Outputs { get; init; } = 1;

    /// <summary>The shape of its outputs, where it depends on data so that ONNX Runtime cannot infer it.</summary>
    public long[]? OutputDims { get; init; }

    /// <summary>The opset that the node is of; other than 18 it goes through the converter first.</summary>
    public int Opset { get; init; } = OnnxModel.InnerOpset;

    /// <summary>Domain of the operator.</summary>
    public string Domain { get; init; } = "";

    /// <summary>Whether ONNX Runtime's CPU provider lacks a kernel for the form itself, so that the numbers of the lowered one have nothing to be
    /// compared with here.</summary>
    public bool HasNoKernel { get; init; }

    /// <summary>Whether the node is of another form than that of opset 18, which is converted.</summary>
    public bool IsConverted => Opset != OnnxModel.InnerOpset || Domain.Length > 0;

    /// <summary>Outputs that are left out, by number.</summary>
    public int[] Without { get; init; } = [];

    /// <summary>Why second derivatives are not checked; empty when they are.</summary>
    public string FirstOrderOnly { get; init; } = "";

    /// <summary>Why the case runs in float32 although ONNX Runtime takes float64; empty when it does not.</summary>
    public string SingleOnly { get; init; } = "";

    /// <summary>Largest relative error in float32, where ONNX Runtime lacks kernels for float64.</summary>
    public double SingleTolerance { get; init; } = 3e-3;

    /// <summary>The model in a precision.</summary>
    public OnnxModel Build(ElementType precision)
    {
        var graph = new OnnxGraph { Name = Op };
        var inputs = Inputs.Select((arg, i) => arg is null ? null
            : new Value($"x{i}", arg.TypeIn(precision), Shape.Of(arg.Dims)) { Constant = arg.IsConstant ? arg.In(precision) : null }).ToArray();
        graph.Inputs.AddRange(inputs.OfType<Value>().Where(static v => v.Constant is null));
        graph.Initializers.AddRange(inputs.OfType<Value>().Where(static v => v.Constant is not null));
        var outputs = Enumerable.Range(0, Outputs).Select(i => Without.Contains(i) ? null
            : OutputDims is { } dims ? new Value($"y{i}", precision, Shape.Of(dims)) : new Value($"y{i}")).ToArray();
        graph.Outputs.AddRange(outputs.OfType<Value>());
        graph.Nodes.Add(new Node(Op, inputs, outputs, new AttributeMap(Attributes), "node", Domain));
        var model = new OnnxModel(graph) { IrVersion = Opset > 20 ? 10 : 8 };
        model.Opsets[""] = Opset;
        if (Domain.Length > 0)
            model.Opsets[Domain] = 1;
        return model;
    }

    /// <summary>Tensors for the graph inputs in a precision.</summary>
    public IReadOnlyDictionary<string, TensorData> Feeds(ElementType precision) => Inputs.Index()
        .Where(static a => a.Item is { IsConstant: false }).ToDictionary(static a => $"x{a.Index}", a => a.Item!.In(precision));

    /// <inheritdoc/>
    public override string ToString() => $"{(Domain.Length > 0 ? $"{Domain}." : "")}{Op}{(Opset == OnnxModel.InnerOpset ? "" : $"-{Opset}")}: {Form}";
}
