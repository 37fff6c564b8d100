using System.Globalization;
using OnnxDistill.Graph;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Runtime.Generation;

/// <summary>What a generator's file takes and gives, as its inputs, outputs and metadata say.</summary>
/// <param name="Latent">The input of latents.</param>
/// <param name="Label">The input of classes, or null.</param>
/// <param name="Sample">The output.</param>
/// <param name="Labels">Number of classes; 0 for none.</param>
internal sealed record GeneratorForm(Port Latent, Port? Label, Port Sample, int Labels)
{
    // The convention of OnnxDistill's files; the library above writes them.
    private const string LatentName = "z", LabelName = "label", LabelsKey = "onnxdistill.labels";

    /// <summary>Extents of a latent.</summary>
    public int[] LatentShape { get; } = Extents(Latent);

    /// <summary>Whether the output has pixels of 8 bits, [N, height, width, channels]; else it has numbers.</summary>
    public bool IsBytes => Sample.Type == ElementType.UInt8;

    /// <summary>Extents of a sample: [channels, height, width] of an image, whichever way it is stored, [d] of a point.</summary>
    public int[] DataShape { get; } = Sample.Type == ElementType.UInt8 ? ChannelsFirst(Extents(Sample)) : Extents(Sample);

    /// <summary>The form of the generator that a session runs.</summary>
    /// <exception cref="ModelFileException">It runs no generator; all that does not fit is said at once.</exception>
    public static GeneratorForm Of(GraphSession session)
    {
        var faults = new List<string>();
        var latent = session.Inputs.FirstOrDefault(static i => i.Name == LatentName);
        var label = session.Inputs.FirstOrDefault(static i => i.Name == LabelName);
        if (latent is null || session.Inputs.Count > (label is null ? 1 : 2))
            faults.Add($"expected the inputs '{LatentName}' and perhaps '{LabelName}'");
        if (latent is not null && (latent.Type != ElementType.Float32 || !HasExtents(latent)))
            faults.Add($"expected '{LatentName}' to be Float32 [N, ...], with a batch of any size and numbers for the other extents");
        if (label is not null && (label.Type != ElementType.Int64 || label.Shape.Rank != 1 || label.Shape[0].IsKnown))
            faults.Add($"expected '{LabelName}' to be Int64 [N]");
        var sample = session.Outputs[0];
        if (session.Outputs.Count != 1 || !HasExtents(sample) || !(sample.Type == ElementType.Float32 || (sample.Type == ElementType.UInt8 && sample.Shape.Rank == 4)))
            faults.Add("expected one output: Float32 [N, ...], or UInt8 [N, height, width, channels]");
        var labels = Classes(session.Metadata, label, faults);
        return faults.Count == 0 ? new GeneratorForm(latent!, label, sample, labels) // no fault: there is one
            : throw new ModelFileException($"{session.What} is no one-step generator that OnnxDistill wrote: {string.Join("; ", faults)}. Found the inputs {string.Join(", ", session.Inputs)} and the "
                + $"outputs {string.Join(", ", session.Outputs)}. 'onnxdistill export RUN -o FILE' writes a generator; a teacher becomes one by 'onnxdistill distill'.");
    }

    private static int Classes(IReadOnlyDictionary<string, string> metadata, Port? label, List<string> faults)
    {
        var text = metadata.GetValueOrDefault(LabelsKey, "0");
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var labels) || labels > 0 != label is not null)
            faults.Add($"expected the metadata entry '{LabelsKey}' to be the number of classes, {(label is null ? "0 without" : "1 or more with")} an input '{LabelName}', found '{text}'");
        return labels;
    }

    private static bool HasExtents(Port port) => port.Shape.Rank > 1 && !port.Shape[0].IsKnown && port.Shape.Skip(1).All(static d => d.IsKnown);

    private static int[] Extents(Port port) => [.. port.Shape.Skip(1).Select(static d => checked((int)d.Size))];

    private static int[] ChannelsFirst(int[] dims) => [dims[2], dims[0], dims[1]];
}
