using System.Net;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Reporting;

/// <summary>A static page in which a visitor draws seeds and classes and sees a generator's samples at once.</summary>
public static class WebDemo
{
    private const string ModelName = "generator.onnx", Page = "index.html", Mark = """<meta name="generator" content="OnnxDistill">""";

    private static readonly string[] Sources = ["page.mjs", "demo.mjs", "points.mjs", "generator.mjs", "philox.mjs", "dom.mjs", "style.css", "LICENSES.txt"];

    /// <summary>Writes the page: a folder that any file server can show, with all that it needs. A page that was written there before is replaced.</summary>
    /// <param name="model">The generator.</param>
    /// <param name="folder">The folder; made when it is not there.</param>
    /// <param name="runtime">ONNX Runtime for browsers.</param>
    /// <param name="title">The page's title; null for one that names the method.</param>
    /// <exception cref="TeacherMismatchException">The model is no generator whose samples a page can show.</exception>
    /// <exception cref="RecipeException">The folder holds a page of somebody else.</exception>
    public static void Write(OnnxModel model, string folder, WebRuntime runtime, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(runtime);
        var page = Path.Combine(folder, Page);
        if (File.Exists(page) && !File.ReadAllText(page).Contains(Mark, StringComparison.Ordinal))
            throw new RecipeException($"'{page}' is a page that OnnxDistill has not written, so it stays. Name another folder.");
        // All that can be refused is, before the first file.
        var bytes = OnnxWriter.ToBytes(model);
        var info = GeneratorInfo.Of(model, ModelName, bytes.Length, runtime.Version);
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, ModelName), bytes);
        foreach (var file in Sources)
            File.WriteAllText(Path.Combine(folder, file), WebFiles.Read(file));
        File.WriteAllBytes(Path.Combine(folder, WebRuntime.Script), runtime.ReadScript());
        File.WriteAllBytes(Path.Combine(folder, WebRuntime.Binary), runtime.ReadBinary());
        using var writer = new StreamWriter(page);
        WebFiles.Fill(writer, WebFiles.Read(Page), new Dictionary<string, string>
        {
            ["title"] = WebUtility.HtmlEncode(title ?? (info.Method.Length > 0 ? $"One-step generator ({info.Method})" : "One-step generator")),
            ["info"] = info.ToJson().ToJsonString(),
        });
    }
}
