using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using OnnxDistill.Recipes;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Students;

namespace OnnxDistill.Training;

/// <summary>What a state file says beside the engine's numbers.</summary>
/// <param name="Loop">What the training loop wants kept: the log's unfinished row, its count of bad steps; null when it kept nothing.</param>
/// <param name="Differences">Versions, device, processor or threads that are others here than where the state was made, as sentences; while it is
/// empty a resumed run on the CPU has the bits of an unbroken one.</param>
public sealed record StateNotes(JsonObject? Loop, IReadOnlyList<string> Differences);

/// <summary>
/// Everything that a resumed run needs, in one file: magic, version, a JSON header (iteration, recipe, environment, the loop's notes, tables
/// of vectors), the vectors as little-endian float32, and a SHA-256 over all before it. Random numbers are functions of the iteration,
/// so none are stored.
/// </summary>
public static class TrainingState
{
    private const int ChunkElements = 1 << 20;
    private const int Version = 2;
    private const int HashBytes = SHA256.HashSizeInBytes;

    // What has to be the same where a state is read, and on every rank.
    private static readonly string[] Parts = ["recipe", "teacher", "initial", "student", "vectors"];

    private static ReadOnlySpan<byte> Magic => "OXDSTATE"u8;

    /// <summary>Writes the engine's state.</summary>
    /// <param name="engine">Whose state.</param>
    /// <param name="stream">Where it goes.</param>
    /// <param name="loop">What the training loop wants kept; null for nothing.</param>
    public static void Write(TrainingEngine engine, Stream stream, JsonObject? loop = null)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Put(ReadOnlySpan<byte> bytes)
        {
            hash.AppendData(bytes);
            stream.Write(bytes);
        }

        var described = Header(engine);
        described["loop"] = loop;
        var header = Encoding.UTF8.GetBytes(described.ToJsonString());
        Span<byte> sizes = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(sizes, Version);
        BinaryPrimitives.WriteInt32LittleEndian(sizes[4..], header.Length);
        Put(Magic);
        Put(sizes);
        Put(header);
        TakeVectors(engine, Put);
        stream.Write(hash.GetHashAndReset());
    }

    /// <summary>Reads a state into an engine of the same recipe.</summary>
    /// <param name="engine">Its vectors and iteration are overwritten; when anything is wrong, before the first of them is.</param>
    /// <param name="stream">The state file, seekable.</param>
    /// <param name="what">What error messages call it.</param>
    /// <exception cref="RecipeException">The file is damaged, or belongs to another recipe.</exception>
    public static StateNotes Read(TrainingEngine engine, Stream stream, string what)
    {
        var header = Check(stream, what);
        var expected = Header(engine);
        foreach (var key in Parts)
        {
            if (!JsonNode.DeepEquals(header[key], expected[key]))
            {
                throw new RecipeException($"{what} belongs to another recipe ('{key}' differs: {Difference(header[key], expected[key], key)}). "
                    + "Resume with the recipe and teacher it was made with, or start a new run.");
            }
        }
        var length = Vectors(engine).Sum(v => v.Buffer.ByteCount);
        if (stream.Length - stream.Position - HashBytes != length)
            throw new RecipeException($"{what} is damaged: its vectors should have {length} bytes, found {stream.Length - stream.Position - HashBytes}.");
        if (header["learningRateFactor"] is not JsonValue value || !value.TryGetValue<double>(out var factor) || !(factor > 0))
            throw new RecipeException($"{what} is damaged: it does not tell the factor on the learning rates.");
        var (iteration, steps) = (Count(header["iteration"], what), engine.States.ToDictionary(s => s.Key, s => Count(header["steps"]?[s.Key], what)));

        if (engine.LossScales.Keys.FirstOrDefault(p => !LossScale.CanLoad(header["lossScales"]?[p])) is { } phaseWithout)
            throw new RecipeException($"{what} is damaged: it does not tell the loss scale of the phase '{phaseWithout}'.");
        (engine.Iteration, engine.LearningRateFactor) = (iteration, factor);
        foreach (var (role, state) in engine.States)
            state.Step = steps[role];
        foreach (var (phase, scale) in engine.LossScales)
            scale.Load(header["lossScales"]![phase]);
        var chunk = new float[ChunkElements];
        foreach (var (_, _, buffer) in Vectors(engine))
        {
            for (long at = 0; at < buffer.Count; at += ChunkElements)
            {
                var part = chunk.AsSpan(0, (int)Math.Min(ChunkElements, buffer.Count - at));
                stream.ReadExactly(MemoryMarshal.AsBytes(part));
                buffer.CopyFrom<float>(part, at);
            }
        }
        var differences = RunEnvironment.Differences(header["environment"] as JsonObject, expected["environment"]!.AsObject());
        return new StateNotes(header["loop"] as JsonObject, differences);
    }

    /// <summary>What <see cref="RunEnvironment"/> was where a state was made.</summary>
    /// <exception cref="RecipeException">The file is damaged.</exception>
    internal static JsonObject? Environment(Stream stream, string what) => Check(stream, what)["environment"] as JsonObject;

    /// <summary>A digest of what makes a run: recipe, teacher, initial network, tables of vectors.</summary>
    internal static byte[] Identity(TrainingEngine engine)
    {
        var header = Header(engine);
        return SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', Parts.Select(key => header[key]?.ToJsonString()))));
    }

    /// <summary>A digest of all vectors.</summary>
    internal static byte[] Digest(TrainingEngine engine)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        TakeVectors(engine, hash.AppendData);
        return hash.GetHashAndReset();
    }

    // The bytes of all vectors, piece by piece and through the host: they may lie on a device.
    private static void TakeVectors(TrainingEngine engine, Action<ReadOnlySpan<byte>> take)
    {
        var chunk = new float[ChunkElements];
        foreach (var (_, _, buffer) in Vectors(engine))
        {
            for (long at = 0; at < buffer.Count; at += ChunkElements)
            {
                var part = chunk.AsSpan(0, (int)Math.Min(ChunkElements, buffer.Count - at));
                buffer.CopyTo(part, at);
                take(MemoryMarshal.AsBytes(part));
            }
        }
    }

    private static long Count(JsonNode? node, string what) => node is JsonValue value && value.TryGetValue<long>(out var count) && count >= 0 ? count
        : throw new RecipeException($"{what} is damaged: it does not tell how far the run had come.");

    private static JsonObject Check(Stream stream, string what)
    {
        var start = new byte[16];
        if (stream.ReadAtLeast(start, 16, throwOnEndOfStream: false) < 16 || !start.AsSpan(0, 8).SequenceEqual(Magic))
            throw new RecipeException($"{what} is no OnnxDistill state file: expected it to begin with {Encoding.ASCII.GetString(Magic)}.");
        var (version, headerLength) = (BinaryPrimitives.ReadInt32LittleEndian(start.AsSpan(8)), BinaryPrimitives.ReadInt32LittleEndian(start.AsSpan(12)));
        if (version != Version)
            throw new RecipeException($"{what} has the state format {version}, this OnnxDistill reads {Version}. Finish the run with the version that wrote it, or start it anew.");
        if (headerLength < 0 || headerLength > stream.Length - 16 - HashBytes)
            throw new RecipeException($"{what} is damaged: its header of {headerLength} bytes does not fit its {stream.Length} bytes.");

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        stream.Position = 0;
        var chunk = new byte[ChunkElements];
        for (var left = stream.Length - HashBytes; left > 0;)
        {
            var read = stream.Read(chunk, 0, (int)Math.Min(chunk.Length, left));
            hash.AppendData(chunk, 0, read);
            left -= read;
        }
        var stored = new byte[HashBytes];
        stream.ReadExactly(stored);
        if (!hash.GetHashAndReset().AsSpan().SequenceEqual(stored))
            throw new RecipeException($"{what} is damaged: its checksum does not match. Resume from an older state file of the run.");

        stream.Position = 16;
        var header = new byte[headerLength];
        stream.ReadExactly(header);
        return JsonNode.Parse(header)!.AsObject();
    }

    private static JsonObject Header(TrainingEngine engine)
    {
        var vectors = new JsonArray();
        foreach (var (role, vector, buffer) in Vectors(engine))
            vectors.Add(new JsonArray(role, vector, buffer.Count));
        return new JsonObject
        {
            ["iteration"] = engine.Iteration,
            ["steps"] = new JsonObject(engine.States.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value.Step))),
            ["learningRateFactor"] = engine.LearningRateFactor,
            ["environment"] = RunEnvironment.Of(engine.Program.Recipe.Recipe.Training, engine.Program.Parts),
            ["lossScales"] = new JsonObject(engine.LossScales.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value.Save()))),
            ["recipe"] = Essentials(engine.Program),
            ["teacher"] = engine.Program.Teacher?.Hash(),
            ["initial"] = engine.Program.Initial?.Hash(),
            ["student"] = engine.Program.Recipe.Recipe.Student.Length > 0 ? (engine.Program.Student as Generator)?.Hash() : null,
            ["vectors"] = vectors,
        };
    }

    // What changes the numbers of a run by more than rounding. Where files lie, how often it logs and how many threads it has do not (threads and lanes are the
    // environment's); nor does its length, unless the learning rate follows it.
    private static JsonObject Essentials(TrainingProgram program)
    {
        var recipe = program.Recipe.Recipe;
        var json = RecipeLoader.ToJson(recipe);
        foreach (var key in new[] { "preset", "teacher", "initial", "student", "evaluation" })
            json.Remove(key);
        var training = json["training"]!.AsObject();
        string[] free = ["seconds", "logImages", "snapshotImages", "snapshotSeconds", "stateImages", "keepStates", "device", "cuda", "threads", "lanes", "microBatch", "maxSkippedSteps", "rollbacks", "rollbackFactor"];
        foreach (var key in free)
            training.Remove(key);
        if (recipe.Training.Optimizers.Values.Append(recipe.Training.Optimizer).All(o => o.FinalFraction == 1))
            training.Remove("images");
        // A perceptual network may move, what it says may not change; likewise pairs that somebody else has made. The teacher's own are a function of the recipe.
        if (json["options"]?["perceptual"] is JsonObject perceptual && perceptual["model"]?.GetValue<string>() is { Length: > 0 } network)
            perceptual["model"] = program.DigestOf(network);
        if (json["options"]?["pairs"] is JsonObject pairs)
            pairs["file"] = program.Pairs?.Identity ?? "";
        // Likewise images and mixtures.
        json.Remove("data");
        if (program.ImagesDigest is { } images)
            json["data"] = new JsonObject { ["images"] = images, ["flip"] = recipe.Data.Flip };
        else if (recipe.Data.Mixture.Length > 0)
            json["data"] = new JsonObject { ["mixture"] = program.DigestOf(recipe.Data.Mixture) };
        return json;
    }

    private static string Difference(JsonNode? found, JsonNode? expected, string path)
    {
        if (found is JsonObject a && expected is JsonObject b)
        {
            var key = a.Select(p => p.Key).Union(b.Select(p => p.Key)).First(k => !JsonNode.DeepEquals(a[k], b[k]));
            return Difference(a[key], b[key], $"{path}.{key}");
        }
        return $"{path} is {found?.ToJsonString() ?? "absent"} there and {expected?.ToJsonString() ?? "absent"} here";
    }

    private static IEnumerable<(string Role, string Vector, TensorBuffer Buffer)> Vectors(TrainingEngine engine) =>
        engine.States.SelectMany(s => s.Value.Vectors.Select(v => (s.Key, v, s.Value.Current(v)))).Concat(engine.Carried.Select(c => ($"carried by {c.Phase}", c.Name, c.Buffer)));
}
