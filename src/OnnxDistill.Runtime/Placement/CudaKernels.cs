using System.Globalization;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Runtime.Placement;

/// <summary>A row of ONNX Runtime's table of kernels.</summary>
/// <param name="From">First version of the operator that the kernel serves.</param>
/// <param name="To">Last version, or null for an open row.</param>
/// <param name="Types">Element types that any of its inputs and outputs may have.</param>
internal sealed record KernelRow(int From, int? To, IReadOnlySet<ElementType> Types)
{
    /// <summary>ONNX Runtime's rule: an open row N+ serves an operator only when N is its since-version at the model's opset (ConvTranspose 11+
    /// does not serve version 22), a closed row also when the since-version lies inside.</summary>
    public bool Serves(int since) => From == since || (To is { } to && From <= since && since <= to);

    /// <summary>What is written behind the operator's name: <c>13+</c> or <c>11 to 18</c>.</summary>
    public override string ToString() => To is { } to ? string.Create(CultureInfo.InvariantCulture, $"{From} to {to}")
        : string.Create(CultureInfo.InvariantCulture, $"{From}+");
}

/// <summary>The kernels of ONNX Runtime's CUDA provider, as its documentation lists them; so that placement can be told without a GPU.</summary>
internal static class CudaKernels
{
    private const string Resource = "OnnxDistill.Runtime.Placement.cuda-kernels.txt";

    private static readonly Dictionary<char, ElementType> Letters = new()
    {
        ['f'] = ElementType.Float32,
        ['h'] = ElementType.Float16,
        ['b'] = ElementType.BFloat16,
        ['d'] = ElementType.Float64,
        ['t'] = ElementType.Bool,
        ['c'] = ElementType.Int8,
        ['s'] = ElementType.Int16,
        ['i'] = ElementType.Int32,
        ['l'] = ElementType.Int64,
        ['C'] = ElementType.UInt8,
        ['S'] = ElementType.UInt16,
        ['I'] = ElementType.UInt32,
        ['L'] = ElementType.UInt64,
    };

    private static readonly Lazy<(string Source, ILookup<string, KernelRow> Rows)> Table = new(Read);

    /// <summary>Which ONNX Runtime the table is of.</summary>
    public static string Source => Table.Value.Source;

    /// <summary>The rows of each operator, by its qualified name.</summary>
    public static ILookup<string, KernelRow> Rows => Table.Value.Rows;

    private static (string, ILookup<string, KernelRow>) Read()
    {
        using var stream = typeof(CudaKernels).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The assembly lacks its resource {Resource}.");
        using var reader = new StreamReader(stream);
        var lines = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var source = lines[0]["# CUDA kernels of ONNX Runtime ".Length..lines[0].IndexOf(" (", StringComparison.Ordinal)];
        return (source, lines.Skip(1).Select(line => line.Split(' ')).ToLookup(cells => cells[0], Row, StringComparer.Ordinal));
    }

    private static KernelRow Row(string[] cells)
    {
        var versions = cells[1].TrimEnd('+').Split('-');
        int? to = cells[1].EndsWith('+') ? null : int.Parse(versions[^1], CultureInfo.InvariantCulture);
        return new KernelRow(int.Parse(versions[0], CultureInfo.InvariantCulture), to,
            cells[2].Where(Letters.ContainsKey).Select(letter => Letters[letter]).ToHashSet());
    }
}
