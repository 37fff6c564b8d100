using System.Globalization;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers;

/// <summary>What a denoiser file says of itself in its metadata: everything a method has to know that the graph does not tell.</summary>
public sealed record TeacherCard
{
    /// <summary>Prefix of the card's keys in an ONNX file's metadata.</summary>
    public const string Prefix = "onnxdistill.";

    /// <summary>What the original network predicted, see <see cref="TeacherImporter.Predictions"/>.</summary>
    public string Prediction { get; init; } = "denoiser";

    /// <summary>The noise that it was trained with, see <see cref="TeacherImporter.Schedules"/>.</summary>
    public string Schedule { get; init; } = "edm";

    /// <summary>How it was told the time, see <see cref="TeacherImporter.TimeForms"/>, with a factor as in <c>t*999</c>.</summary>
    public string Time { get; init; } = "sigma";

    /// <summary>The only levels that it knows, where it was told whole steps; null when every level is one. See <see cref="Denoiser.RoundSigma"/>.</summary>
    public NoiseLevels? Levels { get; init; }

    /// <summary>Standard deviation of the data, in the data's units; noise laws and sigma_init scale with it (design.md decision 9).</summary>
    public double SigmaData { get; init; } = 0.5;

    /// <summary>Smallest noise level that the teacher was made for.</summary>
    public double SigmaMin { get; init; } = 0.002;

    /// <summary>Largest noise level that the teacher was made for.</summary>
    public double SigmaMax { get; init; } = 80;

    /// <summary>Number of classes that labels run over, 0 for an unconditional teacher.</summary>
    public int Labels { get; init; }

    /// <summary>The label that means "no class", or -1 when there is none.</summary>
    public int NullLabel { get; init; } = -1;

    /// <summary>Classifier-free guidance that is folded in, 1 for none.</summary>
    public double Guidance { get; init; } = 1;

    /// <summary>What a sample is: <c>image</c> in [-1, 1] as [C, H, W], or <c>points</c>.</summary>
    public string Data { get; init; } = "image";

    /// <summary>Extents of a sample, <c>3x32x32</c>; empty when not recorded.</summary>
    public string Shape { get; init; } = "";

    /// <summary>The range that the original network's images had; the teacher's own is -1..1.</summary>
    public string Range { get; init; } = "-1..1";

    /// <summary>The original network's order of color channels; the teacher's own is rgb.</summary>
    public string Channels { get; init; } = "rgb";

    /// <summary>Whether an import was told to take the network's convention on trust, without the check that it denoises.</summary>
    public bool IsUnchecked { get; init; }

    /// <summary>Licence of the network, as its source states it.</summary>
    public string Licence { get; init; } = "not stated";

    /// <summary>Where the network came from.</summary>
    public string Source { get; init; } = "";

    /// <summary>Whether the teacher takes labels.</summary>
    public bool IsConditional => Labels > 0;

    /// <summary>Writes the card into a model's metadata.</summary>
    public void WriteTo(OnnxModel model)
    {
        void Text(string key, string value) => model.Metadata[Prefix + key] = value;
        void Number(string key, IFormattable value) => Text(key, value.ToString(null, CultureInfo.InvariantCulture));
        model.Metadata[Prefix + "kind"] = "denoiser";
        Text("prediction", Prediction);
        Text("schedule", Schedule);
        Text("time", Time);
        if (Levels is not null)
            Text("levels", Levels.ToString());
        Number("sigma_data", SigmaData);
        Number("sigma_min", SigmaMin);
        Number("sigma_max", SigmaMax);
        Number("labels", Labels);
        Number("null_label", NullLabel);
        Number("guidance", Guidance);
        Text("data", Data);
        Text("shape", Shape);
        Text("range", Range);
        Text("channels", Channels);
        if (IsUnchecked)
            Text("unchecked", "true");
        Text("licence", Licence);
        Text("source", Source);
    }

    /// <summary>The card in a model's metadata, or null when the model has none.</summary>
    /// <exception cref="TeacherMismatchException">A value cannot be read as a number.</exception>
    public static TeacherCard? Read(OnnxModel model)
    {
        if (model.Metadata.GetValueOrDefault(Prefix + "kind") != "denoiser")
            return null;
        string Text(string key, string otherwise) => model.Metadata.GetValueOrDefault(Prefix + key, otherwise);
        double Number(string key, double otherwise) => !model.Metadata.TryGetValue(Prefix + key, out var text) ? otherwise
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value
            : throw new TeacherMismatchException($"The teacher's card has {Prefix}{key} = '{text}', expected a number. Import the teacher again.");
        var standard = new TeacherCard();
        var isFlow = Text("prediction", standard.Prediction) == "flow";
        return new TeacherCard
        {
            Prediction = Text("prediction", standard.Prediction),
            // Files of before these were recorded are of two kinds.
            Schedule = Text("schedule", isFlow ? "flow" : standard.Schedule),
            Time = Text("time", isFlow ? "t" : standard.Time),
            Levels = Text("levels", "") is { Length: > 0 } levels ? NoiseLevels.Parse(levels) : null,
            SigmaData = Number("sigma_data", standard.SigmaData),
            SigmaMin = Number("sigma_min", standard.SigmaMin),
            SigmaMax = Number("sigma_max", standard.SigmaMax),
            Labels = (int)Number("labels", 0),
            NullLabel = (int)Number("null_label", -1),
            Guidance = Number("guidance", standard.Guidance),
            Data = Text("data", standard.Data),
            Shape = Text("shape", standard.Shape),
            Range = Text("range", standard.Range),
            Channels = Text("channels", standard.Channels),
            IsUnchecked = Text("unchecked", "") == "true",
            Licence = Text("licence", standard.Licence),
            Source = Text("source", standard.Source),
        };
    }
}
