using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using OnnxDistill.Data.Pairs;
using OnnxDistill.Export;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Parallel;
using OnnxDistill.Teachers;
using OnnxDistill.Training;

namespace OnnxDistill.Artifacts;

/// <summary>Writes a program's graphs, initial state and manifest to a folder: training without a line of this project's trainer.</summary>
public static class ArtifactWriter
{
    /// <summary>Name of the manifest's file.</summary>
    public const string ManifestFile = "manifest.json";

    private const string GeneratorName = "generator.onnx";

    private const string PairsName = "pairs.npz";

    internal static readonly JsonSerializerOptions Json = new(RecipeJson.Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>Writes everything; the folder must be new or empty.</summary>
    /// <param name="program">The program.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="observer">Who watches while teacher pairs are drawn; null for nobody.</param>
    /// <param name="stop">Stops drawing them.</param>
    /// <exception cref="RunFolderException">The folder holds files already.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; nothing was written.</exception>
    public static Manifest Write(TrainingProgram program, string folder, IRunObserver? observer = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        RequireEmpty(folder);
        if (program.Pairs is { } drawn && !drawn.Load(null, SingleRank.Group) && !drawn.Make(null, observer ?? new SilentObserver(), stop, SingleRank.Group))
            throw new OperationCanceledException(stop);
        Directory.CreateDirectory(folder);
        if (program.Pairs is { } pairs)
            PairFile.Write(Path.Combine(folder, PairsName), pairs.Set);
        var manifest = new Manifest
        {
            Method = program.Recipe.Method.Name,
            Batch = program.Task.Batch,
            Seed = program.Recipe.Recipe.Training.Seed,
            Images = program.Recipe.Recipe.Training.Images,
            Ema = program.Recipe.Recipe.Training.Ema,
            LossScale = program.Graphs.Any(g => g.IsScaled) ? program.Recipe.Recipe.Training.LossScale : null,
            SigmaInit = program.Student.SigmaInit,
            Pairs = program.Pairs is null ? null : new ManifestPairs(PairsName, program.Pairs.Count),
            Phases = [.. program.Graphs.Select(g => Phase(program, g, folder))],
            Networks = [.. program.Networks.Select(n => Network(n, folder))],
            Generator = program.IsFit ? null : Generator(program, folder),
        };
        // The manifest comes last: a folder that has one is whole.
        AtomicFile.Write(Path.Combine(folder, ManifestFile), Encoding.UTF8.GetBytes(JsonSerializer.Serialize(manifest, Json) + "\n"));
        return manifest;
    }

    /// <summary>Refuses a folder that holds anything.</summary>
    /// <exception cref="RunFolderException">It does.</exception>
    internal static void RequireEmpty(string folder)
    {
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new RunFolderException($"The folder '{folder}' is not empty. Give a new one; nothing was overwritten.");
    }

    private static ManifestPhase Phase(TrainingProgram program, TrainingGraph graph, string folder)
    {
        var file = $"{graph.Phase.Name}.onnx";
        OnnxWriter.Write(graph.Model, Path.Combine(folder, file));
        var feeds = graph.Feeds.ToDictionary(f => f.Name);
        var carried = graph.Carried.ToDictionary(c => CarriedValue.InputName(c.Name));
        var inputs = graph.Model.Graph.Inputs.Select(input => feeds.TryGetValue(input.Name, out var feed)
            ? Fed(input, feed)
            : input.Name == TrainingGraph.LossScaleInput ? Describe(input, "scalar")
            : carried.TryGetValue(input.Name, out var kept) ? Describe(input, "carried") with { Initial = kept.Initial.As<float>().ToArray(), ReplacedBy = CarriedValue.OutputName(kept.Name) }
            : Placed(program, input, "parameter", input.Name));
        var outputs = graph.Model.Graph.Outputs.Select(output => output.Name == TrainingGraph.LossOutput
            ? Describe(output, "loss")
            : graph.Carried.Any(c => CarriedValue.OutputName(c.Name) == output.Name) ? Describe(output, "carried")
            : Placed(program, output, "gradient", output.Name["grad/".Length..]));
        return new ManifestPhase(graph.Phase.Name, file, graph.Phase.Updates, graph.Phase.Trains, [.. inputs], [.. outputs]) { FromImages = graph.Phase.FromImages };
    }

    /// <summary>An input that every step fills anew.</summary>
    internal static ManifestTensor Fed(Value input, Feed feed) => feed.Kind switch
    {
        FeedKind.Normal => Describe(input, "noise") with { Distribution = "normal" },
        FeedKind.Uniform => Describe(input, "noise") with { Distribution = "uniform" },
        FeedKind.Label => Describe(input, "label") with { Bound = feed.Bound },
        FeedKind.Ramp => Describe(input, "ramp") with { Ramp = feed.Ramp },
        FeedKind.PairLatent => Describe(input, "pair") with { Array = "z" },
        FeedKind.PairSample => Describe(input, "pair") with { Array = "y" },
        FeedKind.PairLabel => Describe(input, "pair") with { Array = "label" },
        FeedKind.Image => Describe(input, "image"),
        FeedKind.ImageLabel => Describe(input, "image_label") with { Bound = feed.Bound },
        _ => throw new InvalidOperationException($"Unknown kind of input {feed.Kind}."),
    };

    private static ManifestNetwork Network(TrainedNetwork network, string folder)
    {
        var file = $"optimizer-{network.Role}.onnx";
        OnnxWriter.Write(network.OptimizerModel, Path.Combine(folder, file));
        var state = OptimizerGraph.State(network.Optimizer, network.HasEma);
        var initial = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using var vectors = new NetworkState(network);
        foreach (var name in state.Where(s => s is OptimizerGraph.Weights or OptimizerGraph.Ema))
        {
            initial[name] = $"initial-{network.Role}-{name}.npy";
            NpyFile.Write(Path.Combine(folder, initial[name]), vectors.Current(name).View(network.Layout.Length).ToData());
        }
        var inputs = network.OptimizerModel.Graph.Inputs.Select(input => state.Contains(input.Name)
            ? Describe(input, "state") with { ReplacedBy = OptimizerGraph.Next(input.Name) }
            : Describe(input, input.Name == OptimizerGraph.Gradient ? "gradient" : "scalar"));
        var outputs = network.OptimizerModel.Graph.Outputs.Select(o => Describe(o, o.Name is OptimizerGraph.GradientNorm or OptimizerGraph.Replaced ? "statistic" : "state"));
        return new ManifestNetwork(network.Role, network.Layout.Length,
            [.. network.Layout.Slots.Select(s => new ManifestParameter(s.Name, s.Dims, s.Offset))], file, [.. inputs], [.. outputs], initial, network.Optimizer);
    }

    private static ManifestGenerator Generator(TrainingProgram program, string folder)
    {
        var student = program.Student;
        var model = GeneratorBuilder.BuildOpen(student, parameter => TrainingGraph.ParameterInput(Roles.Student, parameter), RunExport.Origin(program));
        OnnxWriter.Write(model, Path.Combine(folder, GeneratorName));
        var inputs = model.Graph.Inputs.Select(input => input.Name == GeneratorBuilder.Latent ? Describe(input, "latent")
            : input.Name == Denoiser.Label ? Describe(input, "label") with { Bound = student.Labels }
            : Placed(program, input, "parameter", input.Name));
        return new ManifestGenerator(GeneratorName, student.Data, student.Labels, [.. inputs], [.. model.Graph.Outputs.Select(o => Describe(o, "sample"))]);
    }

    internal static ManifestTensor Describe(Value value, string role) =>
        new(value.Name, value.Type.ToString().ToLowerInvariant(), [.. value.Shape.Select(static d => d.IsKnown ? d.Size : -1)], role);

    private static ManifestTensor Placed(TrainingProgram program, Value value, string role, string path)
    {
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        var network = program.Network(path[..slash]);
        return Describe(value, role) with { Network = network.Role, Offset = network.Layout[path[(slash + 1)..]].Offset };
    }
}
