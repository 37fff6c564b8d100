using OnnxDistill.Cli;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Tests.Cli;

/// <summary>A command line that cannot be done.</summary>
/// <param name="Name">What is wrong with it.</param>
/// <param name="Code">Expected exit code.</param>
/// <param name="Line">Makes the files and gives the words of the command line.</param>
/// <param name="Words">What the message has to hold: found, expected, where, what to try.</param>
internal sealed record BadInputCase(string Name, int Code, Func<TinyFiles, string[]> Line, params string[] Words);

/// <summary>The table of bad input, one row a mistake that people make.</summary>
internal static class BadInputCases
{
    public static IReadOnlyList<BadInputCase> All { get; } = [.. ModelFiles(), .. Teachers(), .. Recipes(), .. Runs(), .. Samples(), .. Usage()];

    private static IEnumerable<BadInputCase> ModelFiles()
    {
        yield return new("missing model", ExitCodes.BadInput, f => ["inspect", f["none.onnx"]], "no model file", "none.onnx", "looked in");
        yield return new("model is a folder", ExitCodes.BadInput, f => ["inspect", f.Folder], "found a folder", "Name the file inside it");
        yield return new("empty file", ExitCodes.BadInput, f => ["inspect", f.Write("e.onnx", "")], "e.onnx", "is empty");
        yield return new("cut off", ExitCodes.BadInput, f => ["inspect", f.Write("cut.onnx", File.ReadAllBytes(f["teacher.onnx"])[..300])], "cut.onnx", "cut off or damaged", "300 bytes");
        yield return new("text", ExitCodes.BadInput, f => ["sample", f.Write("t.onnx", "{ \"a\": 1 }"), "-o", f["s.png"]], "t.onnx", "not an ONNX", "JSON text");
        yield return new("picture", ExitCodes.BadInput, f => ["inspect", f.Write("p.onnx", [0x89, .. "PNG\r\n"u8, 0x1a, 0x0a, 0, 0])], "PNG picture");
        yield return new("external data in the folder above", ExitCodes.BadInput, f => ["inspect", External(f, "../w.bin")], "initializer 'w'", "../w.bin", "put the data beside the model");
        yield return new("external data at an absolute path", ExitCodes.BadInput, f => ["inspect", External(f, "/t/w.bin")], "initializer 'w'", "/t/w.bin", "put the data beside the model");
        yield return new("external data missing", ExitCodes.BadInput, f =>
        {
            var model = f.Write("x.onnx", TinyFiles.Linear(64), new ExternalDataOptions { FileName = "data.bin" });
            File.Delete(f["data.bin"]);
            return ["inspect", model];
        }, "initializer 'w'", "data.bin", "does not exist");
        yield return new("external data too short", ExitCodes.BadInput, f =>
        {
            var model = f.Write("x.onnx", TinyFiles.Linear(64), new ExternalDataOptions { FileName = "data.bin" });
            f.Write("data.bin", new byte[100]);
            return ["gradcheck", model];
        }, "initializer 'w'", "1024", "only 100", "cut off?");
        yield return new("operator without a gradient", ExitCodes.NotSupported, f => ["gradcheck", f.Write("u.onnx", Unknown())], "QuantizeLinear", "DequantizeLinear", "pick/fine'", "Export the model with other operators");
        yield return new("import of an operator without a gradient", ExitCodes.NotSupported, f => ["import", f.Write("u.onnx", Unknown()), "-o", f["t.onnx"], "--prediction", "flow"],
            "QuantizeLinear", "'pick/rough'", "'pick/fine'", "export the model in float32");
        yield return new("operator of nobody's domain", ExitCodes.NotSupported, f => ["gradcheck", f.Write("u.onnx", Unknown("com.example"))], "com.example::QuantizeLinear", "'pick/rough'");
    }

    private static IEnumerable<BadInputCase> Teachers()
    {
        yield return new("int network", ExitCodes.NotSupported, f => ["import", f.Write("w.onnx", Integers()), "-o", f["t.onnx"], "--prediction", "flow"], "w.onnx", "Int64", "--sample-input");
        yield return new("raw model as a teacher", ExitCodes.NotSupported, f => ["distill", Recipe(f, raw: f.Write("raw.onnx", TinyFiles.Flow())), "-o", f["run"]],
            "raw.onnx", "no OnnxDistill card", "onnxdistill import");
        yield return new("raw model to sample from", ExitCodes.NotSupported, f => ["sample", f.Write("raw.onnx", TinyFiles.Flow()), "-o", f["s.png"]], "raw.onnx", "expected an input 'z'", "zt", "onnxdistill import");
        yield return new("wrong convention", ExitCodes.NotSupported, f => ["import", f.Write("raw.onnx", TinyFiles.Nonsense()), "-o", f["t.onnx"], "--prediction", "flow"],
            "does not denoise", "no posterior mean", "Nothing was written");
        yield return new("unknown prediction", ExitCodes.WrongUsage, f => ["import", f.Write("raw.onnx", TinyFiles.Flow()), "-o", f["t.onnx"], "--prediction", "flwo"], "flwo", "denoiser", "flow");
        yield return new("labels for a network without", ExitCodes.NotSupported, f => ["import", f.Write("raw.onnx", TinyFiles.Flow()), "-o", f["t.onnx"], "--prediction", "flow", "--labels", "10"],
            "no input for labels", "10 labels");
        yield return new("name of no input", ExitCodes.NotSupported, f => ["import", f.Write("raw.onnx", TinyFiles.Flow()), "-o", f["t.onnx"], "--prediction", "flow", "--time-input", "clock"], "no input 'clock'", "zt", "t");
        yield return new("unknown time form", ExitCodes.WrongUsage, f => ["import", f.Write("raw.onnx", TinyFiles.Flow()), "-o", f["t.onnx"], "--prediction", "flow", "--time", "clock"], "clock", "c-noise");
        yield return new("noise without a schedule", ExitCodes.NotSupported, f => ["import", f.Write("raw.onnx", TinyFiles.Flow()), "-o", f["t.onnx"], "--prediction", "eps"], "eps needs --schedule", "scaled-linear");
        yield return new("unknown schedule", ExitCodes.NotSupported, f => ["import", f.Write("raw.onnx", TinyFiles.Flow()), "-o", f["t.onnx"], "--prediction", "eps", "--schedule", "linear"], "--schedule linear", "ddpm =");
        yield return new("table that is not there", ExitCodes.BadInput, f => ["import", f.Write("raw.onnx", TinyFiles.Flow()), "-o", f["t.onnx"], "--prediction", "eps", "--schedule", $"table:{f["no.csv"]}"], "no.csv");
        yield return new("constant without a value", ExitCodes.WrongUsage, f => ["import", f.Write("raw.onnx", TinyFiles.Flow()), "-o", f["t.onnx"], "--prediction", "flow", "--constant", "text"], "--constant", "'text'", "NAME=");
        yield return new("recording of another network", ExitCodes.BadInput, f => ["import", f.Write("raw.onnx", TinyFiles.Flow()), "-o", f["t.onnx"], "--prediction", "flow", "--check", Recording(f, "x", 0)],
            "f.npz", "expected the inputs zt, t", "v");
        yield return new("recording that is not met", ExitCodes.CheckFailed, f => ["import", f.Write("raw.onnx", TinyFiles.Flow()), "-o", f["t.onnx"], "--prediction", "flow", "--check", Recording(f, "zt", 0.01f)],
            "'v' by", "allowed 0.0001", "Nothing was written");
        yield return new("weights that are no numbers", ExitCodes.BadInput, f => ["import", f.Write("raw.onnx", Broken()), "-o", f["t.onnx"], "--prediction", "flow"], "raw.onnx", "1 weight(s)", "gain", "earlier checkpoint");
        yield return new("card that contradicts its graph", ExitCodes.NotSupported, f => ["sample", Contradiction(f, "labels", "10"), "-o", f["s.png"]], "10 classes", "no input 'label'", "Import");
        yield return new("card of other samples", ExitCodes.NotSupported, f => ["sample", Contradiction(f, "shape", "3x8x8"), "-o", f["s.png"]], "3x8x8", "[N, 2]", "Import");
    }

    private static IEnumerable<BadInputCase> Recipes()
    {
        yield return new("missing recipe", ExitCodes.BadInput, f => ["distill", f["no.json"], "-o", f["run"]], "no.json", "does not exist", "models/<name>/<method>.json");
        yield return new("recipe is a folder", ExitCodes.BadInput, f => ["distill", f.Folder, "-o", f["run"]], "is a folder", ".json");
        yield return new("recipe is no JSON", ExitCodes.BadInput, f => ["distill", f.Write("r.json", "{\n  \"method\": sid }"), "-o", f["run"]], "r.json", "not valid JSON", "line 2, column 13");
        yield return new("recipe is a list", ExitCodes.BadInput, f => ["distill", f.Write("r.json", "[1]"), "-o", f["run"]], "should hold a JSON object");
        yield return new("recipe is a model", ExitCodes.BadInput, f => ["distill", f["teacher.onnx"], "-o", f["run"]], "teacher.onnx", "not valid JSON");
        yield return new("no method", ExitCodes.BadInput, f => ["distill", f.Write("r.json", "{}"), "-o", f["run"]], "method: found nothing", "diff-instruct", "sid");
        yield return Set("unknown key", "trainin.batch=4", "trainin: unknown key", "Did you mean 'training'");
        yield return Set("unknown nested key", "training.bacth=4", "training.bacth: unknown key", "Did you mean 'batch'");
        yield return Set("unknown option of the method", "options.alpha=1", "options.alpha: unknown key", "studentNoise");
        yield return Set("value out of range", "training.batch=0", "training.batch: found 0", "expected 1 to");
        yield return Set("wrong type", "training.batch=many", "training.batch: found \"many\"", "expected a whole number");
        yield return Set("number for a list", "network.hidden=5", "network.hidden: found 5", "expected a list");
        yield return Set("unknown method", "method=sidd", "method: found 'sidd'", "diff-instruct, dmd");
        yield return Set("unknown role", "training.optimizers.teacher.beta1=0.5", "training.optimizers.teacher", "student or fake_score");
        yield return Set("path through a value", "training.batch.size=4", "'batch' is a value");
        yield return Set("no equals sign", "training.batch", "expected key.path=value");
        yield return Set("missing teacher", "teacher=none.onnx", "no model file", "none.onnx");
        yield return Set("no teacher", "teacher=", "teacher: nothing found", "diff-instruct");
        yield return Set("missing mixture", "evaluation.mixture=none.csv", "none.csv");
        yield return Set("unknown metric", "evaluation.metrics=[\"fdi1k\"]", "evaluation.metrics", "fdi1k", "mmd");
        yield return Set("features without images", "evaluation.features=teacher.onnx", "features without images", "give both or neither");
        yield return Set("unknown device", "training.device=gpu", "training: device", "'gpu'", "cpu, cuda");
        yield return new("features without that tensor", ExitCodes.BadInput, f =>
        {
            f.Write("images.idx", [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2]);
            f.Write("features.onnx", TinyFiles.Pixels());
            return ["distill", f["tiny.json"], "-o", f["run"], "--set", "evaluation.mixture=", "--set", "evaluation.images=images.idx", "--set", "evaluation.features=features.onnx",
                "--set", "evaluation.featureTensor=pool"];
        }, "evaluation.features", "features.onnx", "no tensor 'pool'", "onnxdistill inspect");
        yield return new("no GPU", ExitCodes.NotSupported, f => ["distill", f["tiny.json"], "-o", f["run"], "--device", "cuda:0"], "cuda:0", "CUDAExecutionProvider", "-p:OnnxRuntimePackage=", "--device cpu");
        yield return new("recipe for the other verb", ExitCodes.WrongUsage, f => ["distill", f["fit.json"], "-o", f["run"]], "denoising-score-matching", "'train' does");
        yield return new("nothing to train", ExitCodes.BadInput, f => ["distill", f.Write("r.json", """{ "method": "sid", "teacher": "teacher.onnx" }"""), "-o", f["run"]],
            "no trainable weights", "'network'");
    }

    private static IEnumerable<BadInputCase> Runs()
    {
        yield return new("run folder in use", ExitCodes.WrongUsage, f => ["distill", f["tiny.json"], "-o", f.Distilled()], "already holds a run", "--resume", "Nothing was overwritten");
        yield return new("state of another recipe", ExitCodes.BadInput, f => ["distill", f["tiny.json"], "--resume", f.Distilled(), "--set", "training.batch=16"],
            "belongs to another recipe", "training.batch is 32 there and 16 here", "start a new run");
        yield return new("state of another network", ExitCodes.BadInput, f => ["distill", f["tiny.json"], "--resume", f.Distilled(), "--set", "network.hidden=[4]"], "belongs to another recipe");
        yield return new("resume without a state", ExitCodes.WrongUsage, f =>
        {
            Directory.CreateDirectory(f["empty"]);
            return ["distill", f["tiny.json"], "--resume", f["empty"]];
        }, "no state to resume from", "empty");
        yield return new("resume without a folder", ExitCodes.WrongUsage, f => ["distill", f["tiny.json"], "--resume", f["none"]], "no folder", "none", "leave --resume out");
        yield return new("resume from a damaged state", ExitCodes.BadInput, f =>
        {
            var state = Directory.GetFiles(f.Distilled(), "state-*").Order(StringComparer.Ordinal).Last();
            var bytes = File.ReadAllBytes(state);
            bytes[^40] ^= 1;
            File.WriteAllBytes(state, bytes);
            return ["distill", f["tiny.json"], "--resume", f["run"]];
        }, "is damaged", "checksum", "older state file");
        yield return new("exact without a resume", ExitCodes.WrongUsage, f => ["distill", f["tiny.json"], "-o", f["run"], "--exact"], "--exact without --resume", "Leave it out");
        yield return new("resume beside an output", ExitCodes.WrongUsage, f => ["distill", f["tiny.json"], "--resume", f["a"], "-o", f["b"]], "--resume names", "Leave one of them out");
        yield return new("run folder is a file", ExitCodes.WrongUsage, f => ["distill", f["tiny.json"], "-o", f["mixture.csv"]], "mixture.csv", "is a file", "name a folder");
        yield return new("run folder under a file", ExitCodes.BadInput, f => ["distill", f["tiny.json"], "-o", f["mixture.csv/run"]], "mixture.csv", "is a file", "Name another place");
        yield return new("export of no run", ExitCodes.WrongUsage, f => ["export", f["none"], "-o", f["g.onnx"]], "no run folder", "none", "Check the path");
        yield return new("export of a run without a state", ExitCodes.WrongUsage, f => ["export", Directory.CreateDirectory(f["empty"]).FullName, "-o", f["g.onnx"]], "has no state", "empty");
        yield return new("export in an unknown precision", ExitCodes.WrongUsage, f => ["export", f["run"], "-o", f["g.onnx"], "--precision", "fp8"], "fp8", "fp32", "fp16", "int8");
        yield return new("export as nothing known", ExitCodes.WrongUsage, f => ["export", f["run"], "-o", f["g.onnx"], "--as", "teacher"], "teacher", "generator", "denoiser");
        yield return new("bytes of points", ExitCodes.NotSupported, f => ["export", f.Distilled(), "-o", f["g.onnx"], "--pixels", "uint8"], "Bytes are for images", "Leave --pixels out");
        yield return new("features for an export without a reference", ExitCodes.WrongUsage, f => ["export", f["run"], "-o", f["g.onnx"], "--precision", "int8", "--features", f["x.onnx"]], "--features without --reference");
        yield return new("an fp32 export unmeasured", ExitCodes.WrongUsage, f => ["export", f["run"], "-o", f["g.onnx"], "--unmeasured"], "--unmeasured", "--precision fp16 or int8");
        yield return new("an export compared on one sample", ExitCodes.WrongUsage, f => ["export", f["run"], "-o", f["g.onnx"], "--precision", "fp16", "-n", "1"], "--count: found 1", "at least 2");
        yield return new("artifacts into a full folder", ExitCodes.WrongUsage, f => ["artifacts", f["tiny.json"], "-o", f.Folder], "is not empty", "nothing was overwritten");
        yield return new("training sessions' files into a full folder", ExitCodes.WrongUsage, f => ["artifacts", f["fit.json"], "-o", f.Folder, "--format", "ort-training"], "is not empty", "nothing was overwritten");
        yield return new("training sessions' files of a distillation", ExitCodes.BadInput, f => ["artifacts", f["tiny.json"], "-o", f["a"], "--format", "ort-training"],
            "diff-instruct", "one loss and one optimizer", "Leave --format out");
        yield return new("unknown format of artifacts", ExitCodes.WrongUsage, f => ["artifacts", f["fit.json"], "-o", f["a"], "--format", "ort"], "'ort'", "graphs", "ort-training");
    }

    private static IEnumerable<BadInputCase> Samples()
    {
        yield return new("no samples", ExitCodes.WrongUsage, f => ["sample", f["teacher.onnx"], "-n", "0", "-o", f["s.png"]], "--count", "found 0", "at least 1");
        yield return new("no steps", ExitCodes.WrongUsage, f => ["sample", f["teacher.onnx"], "--steps", "0", "-o", f["s.png"]], "--steps", "found 0", "at least 1");
        yield return new("number that is none", ExitCodes.WrongUsage, f => ["sample", f["teacher.onnx"], "-n", "few", "-o", f["s.png"]], "few", "--count");
        yield return new("unknown ending", ExitCodes.WrongUsage, f => ["sample", f["teacher.onnx"], "-o", f["s.gif"]], "'.gif'", ".png, .npy or .csv");
        yield return new("label for a teacher without", ExitCodes.WrongUsage, f => ["sample", f["teacher.onnx"], "--label", "3", "-o", f["s.png"]], "--label", "found 3", "takes no classes");
        yield return new("label for a generator without", ExitCodes.WrongUsage, f => ["sample", f.Generator(), "--label", "3", "-o", f["s.png"]], "--label", "found 3", "takes no classes");
        yield return new("sample on no GPU", ExitCodes.NotSupported, f => ["sample", f["teacher.onnx"], "--device", "cuda", "-o", f["s.png"]], "cuda:0", "--device cpu");
        yield return new("sample on an unknown device", ExitCodes.WrongUsage, f => ["sample", f["teacher.onnx"], "--device", "tpu", "-o", f["s.png"]], "--device", "'tpu'", "cpu, cuda");
        yield return new("output is a folder", ExitCodes.BadInput, f =>
        {
            Directory.CreateDirectory(f["s.png"]);
            return ["sample", f["teacher.onnx"], "-o", f["s.png"]];
        }, "s.png", "is a folder", "expected a file's name");
        yield return new("output under a file", ExitCodes.BadInput, f => ["sample", f["teacher.onnx"], "-o", f["mixture.csv/s.png"]], "mixture.csv", "is a file", "Name another place");
        if (OperatingSystem.IsLinux()) // where even root cannot
            yield return new("output where nobody may write", ExitCodes.BadInput, f => ["sample", f["teacher.onnx"], "-o", "/proc/self/s.png"], "/proc/self", "nothing can be written", "Name another place");
        yield return new("export to a folder", ExitCodes.BadInput, f => ["export", f.Distilled(), "-o", f.Folder], "is a folder", "expected a file's name");
        yield return new("evaluate without reference", ExitCodes.WrongUsage, f => ["evaluate", f["teacher.onnx"]], "--reference");
        yield return new("reference missing", ExitCodes.BadInput, f => ["evaluate", f["teacher.onnx"], "--reference", f["none.csv"]], "none.csv", "no file");
        yield return new("reference is no mixture", ExitCodes.BadInput, f => ["evaluate", f["teacher.onnx"], "--reference", f.Write("r.csv", "a,b\n1,2\n")], "r.csv", "no column 'weight'", "a, b");
        yield return new("images without features", ExitCodes.WrongUsage, f => ["evaluate", f["teacher.onnx"], "--reference", f["images.idx"]], "--features", "nothing found");
        yield return new("reference images missing", ExitCodes.BadInput, f => Images(f, "none", "a.npy"), "There is no file or folder", "none");
        yield return Set("features missing", "evaluation={\"images\":\"mixture.csv\",\"features\":\"none.onnx\"}", "none.onnx", "evaluation.features", "leave both");
        yield return new("reference of no kind", ExitCodes.BadInput, f => Images(f, "teacher.onnx", "a.npy"), "teacher.onnx", "no set of images", "a folder");
        yield return new("too few images", ExitCodes.BadInput, f => [.. Images(f, "a.npy", "a.npy"), "-n", "9"], "need 9 samples, found 2", "--count");
        yield return new("one image", ExitCodes.WrongUsage, f => [.. Images(f, "a.npy", "a.npy"), "-n", "1"], "--count: found 1", "at least 2");
        yield return new("images of another size", ExitCodes.BadInput, f => [.. Images(f, "a.npy", "a.npy"), "--image-size", "3"], "pixels.onnx", "[1, 1, 2], found [1, 3, 3]", "--feature-crop");
        yield return new("metric of another extractor", ExitCodes.BadInput, f => [.. Images(f, "a.npy", "a.npy"), "--metric", "fd2-vgg"], "'vgg', found 'pixels'");
        yield return new("a sampler for images", ExitCodes.WrongUsage, f => [.. Images(f, "a.npy", "a.npy"), "--guidance", "2"], "--guidance", "set of images");
        yield return new("images against a mixture", ExitCodes.BadInput, f =>
        {
            Images(f, "a.npy", "a.npy");
            return ["evaluate", f["a.npy"], "--reference", f["mixture.csv"]];
        }, "Images are compared with images");
        yield return new("statistics of a mixture", ExitCodes.WrongUsage, f => ["evaluate", f["teacher.onnx"], "--reference", f["mixture.csv"], "--write-statistics", f["s.npz"]], "--write-statistics");
        yield return new("statistics to a folder", ExitCodes.BadInput, f => [.. Images(f, "a.npy", "a.npy"), "--write-statistics", f.Folder], "--write-statistics", "is a folder");
        yield return new("folder without images", ExitCodes.BadInput, f =>
        {
            Images(f, "a.npy", "a.npy");
            return ["evaluate", Directory.CreateDirectory(f["empty"]).FullName, "--reference", f["a.npy"], "--features", f["pixels.onnx"]];
        }, "empty", "holds no images");
        yield return new("a tensor without features", ExitCodes.WrongUsage, f => ["evaluate", f["teacher.onnx"], "--reference", f["mixture.csv"], "--feature-tensor", "pool"], "--feature-tensor", "--features");
    }

    private static IEnumerable<BadInputCase> Usage()
    {
        yield return new("unknown verb", ExitCodes.WrongUsage, _ => ["distil", "r.json"], "unknown verb 'distil'", "distill", "onnxdistill --help");
        yield return new("unknown option", ExitCodes.WrongUsage, f => ["distill", f["tiny.json"], "--devise", "cpu"], "unknown option '--devise'", "--device", "onnxdistill distill --help");
        yield return new("unknown option in the argument's place", ExitCodes.WrongUsage, _ => ["inspect", "--modle"], "unknown option '--modle'", "MODEL");
        yield return new("one argument too many", ExitCodes.WrongUsage, f => ["inspect", f["teacher.onnx"], "b.onnx"], "'b.onnx' is one argument too many", "MODEL");
        yield return new("no argument", ExitCodes.WrongUsage, _ => ["distill"], "RECIPE", "onnxdistill distill --help");
        yield return new("no output", ExitCodes.WrongUsage, f => ["export", f["run"]], "--output");
        yield return new("unknown mixture", ExitCodes.WrongUsage, f => ["mixture", "ring9", "-o", f["m"]], "ring9", "ring8", "forty");
        yield return new("no directions", ExitCodes.WrongUsage, f => ["gradcheck", f["teacher.onnx"], "--directions", "0"], "--directions", "at least 1");
        yield return new("feeds missing", ExitCodes.BadInput, f => ["gradcheck", f["teacher.onnx"], "--feeds", f["none.npz"]], "none.npz");
    }

    private static string[] Images(TinyFiles f, string reference, string set)
    {
        f.Write("pixels.onnx", TinyFiles.Pixels());
        NpyFile.Write(f["a.npy"], TensorData.Of([-1f, 1, 0.5f, -0.5f], 2, 1, 1, 2));
        return ["evaluate", f[set], "--reference", f[reference], "--features", f["pixels.onnx"]];
    }

    private static BadInputCase Set(string name, string assignment, params string[] words) =>
        new(name, ExitCodes.BadInput, f => ["distill", f["tiny.json"], "-o", f["run"], "--set", assignment], words);

    private static string Recipe(TinyFiles f, string raw) => f.Write("raw.json", $$"""{ "method": "sid", "teacher": "{{Path.GetFileName(raw)}}" }""");

    // Of the same length as what it replaces, so that the file stays well formed.
    private static string External(TinyFiles f, string location)
    {
        var model = f.Write("x.onnx", TinyFiles.Linear(64), new ExternalDataOptions { FileName = "data.bin" });
        var bytes = File.ReadAllBytes(model);
        var at = bytes.AsSpan().IndexOf("data.bin"u8);
        System.Text.Encoding.ASCII.GetBytes(location).CopyTo(bytes, at);
        File.WriteAllBytes(model, bytes);
        return model;
    }

    // What TinyFiles.Flow answers to (1, 0) at t = 1, which is (1, 0), and an error.
    private static string Recording(TinyFiles f, string sample, float error)
    {
        NpzFile.Write(f["f.npz"], [new(sample, TensorData.Of([1f, 0], 1, 2)), new("t", TensorData.Of([1f], 1)), new("v", TensorData.Of([1f + error, 0], 1, 2))]);
        return f["f.npz"];
    }

    private static OnnxModel Broken()
    {
        var model = TinyFiles.Flow();
        var b = new GraphBuilder(model.Graph);
        var output = model.Graph.Outputs[0];
        model.Graph.Outputs.Clear();
        b.Output("v2", b.Mul(output, b.Initializer("gain", TensorData.Of([1f, float.NaN], 2))));
        return model;
    }

    private static string Contradiction(TinyFiles f, string key, string value)
    {
        var model = OnnxReader.Read(f["teacher.onnx"]);
        model.Metadata[$"onnxdistill.{key}"] = value;
        return f.Write("bad.onnx", model);
    }

    // A flow network whose output goes through an operator that has no rule.
    private static OnnxModel Unknown(string domain = "")
    {
        var model = TinyFiles.Flow();
        var graph = model.Graph;
        var scale = new Value("scale", ElementType.Float32, Shape.Scalar) { Constant = TensorData.Scalar(0.1) };
        graph.Initializers.Add(scale);
        var (rough, fine) = (new Value("rough", ElementType.UInt8, graph.Outputs[0].Shape), new Value("fine", ElementType.Float32, graph.Outputs[0].Shape));
        graph.Nodes.Add(new Node("QuantizeLinear", [graph.Outputs[0], scale], [rough], name: "pick/rough", domain: domain));
        graph.Nodes.Add(new Node("DequantizeLinear", [rough, scale], [fine], name: "pick/fine"));
        graph.Outputs[0] = fine;
        if (domain.Length > 0)
            model.Opsets[domain] = 1;
        return model;
    }

    private static OnnxModel Integers()
    {
        var b = new GraphBuilder("integers");
        var x = b.Input("x", ElementType.Int64, new Shape([Dim.Named("N"), 2]));
        var t = b.Input("t", ElementType.Int64, new Shape([Dim.Named("N")]));
        b.Output("v", b.Add(x, b.Unsqueeze(t, 1)));
        return new OnnxModel(b.Graph);
    }
}
