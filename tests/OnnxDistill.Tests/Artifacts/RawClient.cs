using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;

namespace OnnxDistill.Tests.Artifacts;

/// <summary>Trains with the files of an artifacts folder alone, as a stranger would: ONNX Runtime, a JSON reader, and the .npy format in a few
/// lines. It knows nothing of this project but what manifest.json says.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly string _folder;
    private readonly JsonElement _manifest;
    private readonly Dictionary<string, InferenceSession> _sessions = [];
    private readonly Dictionary<string, Dictionary<string, float[]>> _states = [];
    private readonly Dictionary<string, float[]> _gradients = [];
    private readonly Dictionary<string, int> _steps = [];

    public RawClient(string folder)
    {
        _folder = folder;
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "manifest.json")));
        _manifest = document.RootElement.Clone();
        foreach (var network in Networks)
        {
            var role = Text(network, "role");
            var length = network.GetProperty("length").GetInt64();
            var initial = network.GetProperty("initial");
            _states[role] = Of(network, "optimizerInputs", "state").ToDictionary(t => Text(t, "name"), t => initial.TryGetProperty(Text(t, "name"), out var file)
                ? Npy(Path.Combine(folder, file.GetString()!)) : new float[length]); // a listed file has a name
            _gradients[role] = new float[length];
            _steps[role] = 0;
        }
    }

    /// <summary>The losses of the last iteration, by phase.</summary>
    public Dictionary<string, float> Losses { get; } = [];

    public float[] State(string role, string vector) => _states[role][vector];

    /// <summary>One iteration.</summary>
    /// <param name="iteration">Its number, from 0.</param>
    /// <param name="noise">Phase, input, update of that phase and number of elements to random numbers.</param>
    public void Iterate(int iteration, Func<string, string, int, int, float[]> noise)
    {
        var imagesSeen = iteration * _manifest.GetProperty("batch").GetDouble();
        foreach (var phase in _manifest.GetProperty("phases").EnumerateArray())
        {
            var updates = phase.GetProperty("updates").GetInt32();
            for (var update = 0; update < updates; update++)
            {
                RunPhase(phase, (input, count) => noise(Text(phase, "name"), input, (iteration * updates) + update, count));
                foreach (var role in phase.GetProperty("trains").EnumerateArray())
                    RunOptimizer(Networks.Single(n => Text(n, "role") == role.GetString()), imagesSeen);
            }
        }
    }

    public void Dispose()
    {
        foreach (var session in _sessions.Values)
            session.Dispose();
    }

    private IEnumerable<JsonElement> Networks => _manifest.GetProperty("networks").EnumerateArray();

    private void RunPhase(JsonElement phase, Func<string, int, float[]> noise)
    {
        var inputs = new Dictionary<string, (float[] Data, long[] Shape)>();
        foreach (var input in phase.GetProperty("inputs").EnumerateArray())
        {
            var shape = Shape(input);
            var count = (int)shape.Aggregate(1L, (a, b) => a * b);
            inputs[Text(input, "name")] = (Text(input, "role") switch
            {
                "noise" or "pair" => noise(Text(input, "name"), count),
                "parameter" => _states[Text(input, "network")]["weights"].AsSpan(input.GetProperty("offset").GetInt32(), count).ToArray(),
                var other => throw new NotSupportedException($"an input of role {other}"),
            }, shape);
        }
        var outputs = Run(Text(phase, "file"), inputs);
        foreach (var output in phase.GetProperty("outputs").EnumerateArray())
        {
            var data = outputs[Text(output, "name")];
            if (Text(output, "role") == "loss")
                Losses[Text(phase, "name")] = data[0];
            else
                data.CopyTo(_gradients[Text(output, "network")].AsSpan(output.GetProperty("offset").GetInt32()));
        }
    }

    private void RunOptimizer(JsonElement network, double imagesSeen)
    {
        var role = Text(network, "role");
        var step = ++_steps[role];
        var inputs = new Dictionary<string, (float[], long[])>();
        foreach (var input in network.GetProperty("optimizerInputs").EnumerateArray())
        {
            var name = Text(input, "name");
            inputs[name] = (Text(input, "role") switch
            {
                "state" => _states[role][name],
                "gradient" => _gradients[role],
                _ => [(float)Scalar(name, network.GetProperty("optimizer"), step, imagesSeen)],
            }, Shape(input));
        }
        var outputs = Run(Text(network, "optimizerFile"), inputs);
        foreach (var input in Of(network, "optimizerInputs", "state"))
            _states[role][Text(input, "name")] = outputs[Text(input, "replacedBy")];
    }

    // The formulas of the manifest's "scalars", written by hand.
    private double Scalar(string name, JsonElement optimizer, int step, double imagesSeen)
    {
        double Option(string key) => optimizer.GetProperty(key).GetDouble();
        var warmUp = Option("warmUpImages") > 0 ? Math.Min(1, imagesSeen / Option("warmUpImages")) : 1;
        var final = Option("finalFraction");
        var rate = Option("learningRate") * warmUp
            * (final + ((1 - final) * (1 + Math.Cos(Math.PI * Math.Min(1, imagesSeen / _manifest.GetProperty("images").GetDouble()))) / 2));
        var ema = _manifest.GetProperty("ema");
        var (halfLife, rampUp) = (ema.GetProperty("halfLifeImages").GetDouble(), ema.GetProperty("rampUp").GetDouble());
        return name switch
        {
            "step_size" => rate / (1 - Math.Pow(Option("beta1"), step)),
            "second_scale" => 1 / Math.Sqrt(1 - Math.Pow(Option("beta2"), step)),
            "decay" => rate * Option("weightDecay"),
            "ema_share" => 1 - Math.Pow(0.5, _manifest.GetProperty("batch").GetDouble() / Math.Max(rampUp > 0 ? Math.Min(halfLife, imagesSeen * rampUp) : halfLife, 1e-8)),
            _ => throw new NotSupportedException($"a scalar {name}"),
        };
    }

    private Dictionary<string, float[]> Run(string file, Dictionary<string, (float[] Data, long[] Shape)> inputs)
    {
        if (!_sessions.TryGetValue(file, out var session))
            _sessions[file] = session = new InferenceSession(Path.Combine(_folder, file));
        var values = inputs.ToDictionary(i => i.Key, i => OrtValue.CreateTensorValueFromMemory(i.Value.Data, i.Value.Shape));
        using var options = new RunOptions();
        using var outputs = session.Run(options, values, session.OutputNames);
        foreach (var value in values.Values)
            value.Dispose();
        return session.OutputNames.Zip(outputs, (name, value) => (name, value.GetTensorDataAsSpan<float>().ToArray())).ToDictionary(p => p.name, p => p.Item2);
    }

    // Magic, two version bytes, header length, header, little-endian numbers.
    private static float[] Npy(string path)
    {
        var bytes = File.ReadAllBytes(path);
        Assert.AreEqual("NUMPY", Encoding.ASCII.GetString(bytes, 1, 5));
        var header = Encoding.ASCII.GetString(bytes, 10, BitConverter.ToUInt16(bytes, 8));
        StringAssert.Contains(header, "'descr': '<f4'");
        var data = new float[(bytes.Length - 10 - header.Length) / 4];
        Buffer.BlockCopy(bytes, 10 + header.Length, data, 0, data.Length * 4);
        StringAssert.Contains(header, string.Create(CultureInfo.InvariantCulture, $"({data.Length},)"));
        return data;
    }

    private static IEnumerable<JsonElement> Of(JsonElement network, string list, string role) =>
        network.GetProperty(list).EnumerateArray().Where(t => Text(t, "role") == role);

    private static long[] Shape(JsonElement tensor) => [.. tensor.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())];

    private static string Text(JsonElement element, string key) => element.GetProperty(key).GetString()
        ?? throw new NotSupportedException($"'{key}' is null");
}
