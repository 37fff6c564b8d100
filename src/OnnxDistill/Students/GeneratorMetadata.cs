using System.Text.Json;
using System.Text.Json.Nodes;
using OnnxDistill.Graph.Model;
using OnnxDistill.Teachers;

namespace OnnxDistill.Students;

/// <summary>The entries of a generator file's <c>metadata_props</c>, see <see cref="All"/>: everything that the graph does not tell.</summary>
public static class GeneratorMetadata
{
    /// <summary>What kind of file it is: <see cref="Generator.Kind"/>.</summary>
    public const string Kind = TeacherCard.Prefix + "kind";

    /// <summary>What a sample is: <c>image</c> or <c>points</c>.</summary>
    public const string Data = TeacherCard.Prefix + "data";

    /// <summary>Number of classes that the input <c>label</c> runs over, 0 for none.</summary>
    public const string Labels = TeacherCard.Prefix + "labels";

    /// <summary>The classes' names in order, a JSON array; left out where they are not known.</summary>
    public const string LabelNames = TeacherCard.Prefix + "label_names";

    /// <summary>Law of the input <c>z</c>: <c>standard normal</c>.</summary>
    public const string Latent = TeacherCard.Prefix + "latent";

    /// <summary>Evaluations of a network that a sample takes: 1.</summary>
    public const string Steps = TeacherCard.Prefix + "steps";

    /// <summary>Noise level of the one step in the data's units; left out for students that are no denoisers.</summary>
    public const string SigmaInit = TeacherCard.Prefix + "sigma_init";

    /// <summary>Method that trained it.</summary>
    public const string Method = TeacherCard.Prefix + "method";

    /// <summary>Samples that its training had seen.</summary>
    public const string ImagesSeen = TeacherCard.Prefix + "images_seen";

    /// <summary>SHA-256 of the teacher's file; left out where there was none.</summary>
    public const string TeacherHash = TeacherCard.Prefix + "teacher_sha256";

    /// <summary>Licence of the teacher, as its source states it.</summary>
    public const string Licence = TeacherCard.Prefix + "teacher_licence";

    /// <summary>Range of the output: <c>-1..1</c>, <c>0..255</c>, or <c>free</c> for points.</summary>
    public const string Range = TeacherCard.Prefix + "range";

    /// <summary>Order of an image's axes: <c>nchw</c>, or <c>nhwc</c> for bytes.</summary>
    public const string Layout = TeacherCard.Prefix + "layout";

    /// <summary>Name of the tensor that the output is clamped from; left out where nothing is.</summary>
    public const string Unclamped = TeacherCard.Prefix + "unclamped";

    /// <summary>What weights and products are in: <c>fp32</c>, <c>fp16</c> or <c>int8</c> (weights only).</summary>
    public const string Precision = TeacherCard.Prefix + "precision";

    /// <summary>Batch sizes at which the file was compared with the student as training composes it.</summary>
    public const string CheckBatches = TeacherCard.Prefix + "check_batches";

    /// <summary>Largest absolute difference that was found.</summary>
    public const string CheckDifference = TeacherCard.Prefix + "check_difference";

    /// <summary>Root mean square of the differences, relative to that of the student's samples.</summary>
    public const string CheckRelative = TeacherCard.Prefix + "check_relative_rms";

    /// <summary>What had to hold of them.</summary>
    public const string CheckTolerance = TeacherCard.Prefix + "check_tolerance";

    /// <summary>Number of samples of equal latents that a reduced precision was compared with fp32 on.</summary>
    public const string LossSamples = TeacherCard.Prefix + "loss_samples";

    /// <summary>Largest absolute difference between them, in units of samples.</summary>
    public const string LossLargest = TeacherCard.Prefix + "loss_largest";

    /// <summary>Mean absolute difference.</summary>
    public const string LossMean = TeacherCard.Prefix + "loss_mean";

    /// <summary>Peak signal-to-noise ratio in decibel, images only.</summary>
    public const string LossPsnr = TeacherCard.Prefix + "loss_psnr";

    /// <summary>Start of the keys of what was measured on the samples of this file, followed by the metric's name.</summary>
    public const string Metric = TeacherCard.Prefix + "metric.";

    /// <summary>Start of the keys of the same metrics on the samples of the fp32 generator.</summary>
    public const string MetricFull = TeacherCard.Prefix + "metric_fp32.";

    /// <summary>Every key, or start of keys, with its meaning. Runs write those down to <see cref="Licence"/>, <c>export</c> all that apply.</summary>
    public static IReadOnlyList<(string Key, string Meaning)> All { get; } =
    [
        (Kind, "kind of file, `generator`"),
        (Data, "what a sample is, `image` or `points`"),
        (Labels, "number of classes, 0 for none"),
        (LabelNames, "the classes' names in order, a JSON array, where they are known"),
        (Latent, "law of the input `z`"),
        (Steps, "evaluations of a network a sample takes"),
        (SigmaInit, "noise level of the one step, for students that are denoisers"),
        (Method, "method that trained it"),
        (ImagesSeen, "samples that its training had seen"),
        (TeacherHash, "SHA-256 of the teacher's file"),
        (Licence, "licence of the teacher, as its source states it"),
        (Range, "range of the output: `-1..1`, `0..255`, `free` for points"),
        (Layout, "order of an image's axes: `nchw`, `nhwc` for bytes"),
        (Unclamped, "name of the tensor that the output is clamped from"),
        (Precision, "`fp32`, `fp16`, or `int8` for weights only"),
        (CheckBatches, "batch sizes of the check against the training graph"),
        (CheckDifference, "largest absolute difference found by it"),
        (CheckRelative, "root mean square of the differences, relative to that of the samples"),
        (CheckTolerance, "what had to hold"),
        (LossSamples, "samples of equal latents that a reduced precision was compared with fp32 on"),
        (LossLargest, "largest absolute difference between them"),
        (LossMean, "mean absolute difference"),
        (LossPsnr, "peak signal-to-noise ratio in decibel, images only"),
        (Metric, "start of the keys of what was measured on this file's samples"),
        (MetricFull, "start of the keys of the same metrics on the fp32 generator's samples"),
    ];

    /// <summary>The classes' names of a file; null where they are not known.</summary>
    internal static string[]? Names(OnnxModel model)
    {
        try
        {
            return model.Metadata.TryGetValue(LabelNames, out var text) ? JsonSerializer.Deserialize<string[]>(text) : null;
        }
        catch (JsonException) // of another tool
        {
            return null;
        }
    }

    /// <summary>Names of classes as <see cref="LabelNames"/> has them.</summary>
    internal static string Write(IEnumerable<string> names) => new JsonArray([.. names.Select(static n => (JsonNode)JsonValue.Create(n))]).ToJsonString();
}
