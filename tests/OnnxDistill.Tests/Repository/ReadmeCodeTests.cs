using System.Text;
using Microsoft.ML.OnnxRuntime;
using OnnxDistill.Data;
using OnnxDistill.Export;
using OnnxDistill.Graph.Autodiff;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Runtime.Generation;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Teachers;
using OnnxDistill.Tests.Runtime.Generation;

namespace OnnxDistill.Tests.Repository;

/// <summary>The README's C# code is the code of these tests, line by line, so it compiles and does what the text says.</summary>
[TestClass]
[DoNotParallelize] // the snippets write into the current folder, which is the process's
public sealed class ReadmeCodeTests
{
    [TestMethod]
    public void TheGeneratorSnippetDrawsPoints()
    {
        InScratchFolder(() =>
        {
            var denoiser = Mlp.Build(new MlpOptions { Hidden = [8] }, MixtureTeacher.Card(GaussianMixture.Ring(), "test"), 2);
            var weights = denoiser.Model.Graph.Initializers.ToDictionary(i => i.Name, i => i.Constant!);
            OnnxWriter.Write(GeneratorBuilder.Build(denoiser, weights, 1, []), "generator.onnx");
            const int count = 5;
            var latents = Enumerable.Range(0, 2 * count).Select(i => (i / 10f) - 0.5f).ToArray();

            // readme: generator
            using var session = new InferenceSession("generator.onnx");
            using var z = OrtValue.CreateTensorValueFromMemory(latents, [count, 2]);   // latents: count * 2 standard normal floats
            using var results = session.Run(new RunOptions(), ["z"], [z], ["points"]);
            ReadOnlySpan<float> points = results[0].GetTensorDataAsSpan<float>();
            // readme: end

            Assert.AreEqual(2 * count, points.Length);
            Assert.IsFalse(points.ContainsAnyExceptInRange(-100f, 100f), "every number is finite and of the data's size");
        });
    }

    [TestMethod]
    public void TheAppSnippetWritesPictures()
    {
        InScratchFolder(() =>
        {
            File.Copy(GeneratorFiles.Digits, "generator.onnx");

            // readme: app
            using var generator = OneStepGenerator.Load("generator.onnx");
            var images = generator.Sample(16, seed: 1, label: 2);
            for (var i = 0; i < images.Count; i++)
            {
                using var file = File.Create($"{i}.pgm");
                file.Write(Encoding.ASCII.GetBytes($"P5 {images.Width} {images.Height} 255\n"));
                file.Write(images[i]);   // bytes, row by row; a colour image has three a pixel
            }
            // readme: end

            Assert.HasCount(16, Directory.GetFiles(".", "*.pgm"));
            var last = File.ReadAllBytes("15.pgm");
            Assert.AreEqual("P5 28 28 255\n", Encoding.ASCII.GetString(last, 0, 13));
            CollectionAssert.AreEqual(images[15].ToArray(), last[13..]);
        });
    }

    [TestMethod]
    public void TheGraphSnippetWritesAGradientThatEqualsTheFormula()
    {
        InScratchFolder(() =>
        {
            // readme: graph
            var b = new GraphBuilder("squared-error");
            var x = b.Input("x", ElementType.Float32, Shape.Of(8, 3));
            var w = b.Input("w", ElementType.Float32, Shape.Of(3, 1));
            var loss = b.ReduceMean(b.Square(b.MatMul(x, w)), keepDims: false);
            var gradient = Differentiator.Gradients(b, loss, [w])[0]!;
            b.Output("loss", loss);
            b.Output("dw", gradient);
            OnnxWriter.Write(new OnnxModel(b.Graph), "gradient.onnx");
            // readme: end

            using var session = GraphSession.Load("gradient.onnx");
            var xs = Enumerable.Range(0, 24).Select(i => (float)Math.Sin(i)).ToArray();
            float[] ws = [0.5f, -1f, 2f];
            var dw = session.Run(new Dictionary<string, TensorData> { ["x"] = TensorData.Of(xs, 8, 3), ["w"] = TensorData.Of(ws, 3, 1) })["dw"].As<float>();
            for (var j = 0; j < 3; j++)
            {
                // d/dw_j mean_i (x_i w)² = 2/8 sum_i (x_i w) x_ij
                var expected = Enumerable.Range(0, 8).Sum(i => 0.25 * Enumerable.Range(0, 3).Sum(k => xs[(3 * i) + k] * (double)ws[k]) * xs[(3 * i) + j]);
                Assert.AreEqual(expected, dw[j], 1e-5, "float32 sums of eight terms");
            }
        });
    }

    [TestMethod]
    [DataRow("generator", "README.md")]
    [DataRow("app", "README.md")]
    [DataRow("app", "src/OnnxDistill.Runtime/PACKAGE.md")]
    [DataRow("graph", "README.md")]
    [DataRow("graph", "src/OnnxDistill.Graph/PACKAGE.md")]
    public void TheReadmeShowsTheCodeOfThisTest(string snippet, string document)
    {
        var readme = File.ReadAllText(RepositoryRoot.Of(document)).ReplaceLineEndings("\n");
        Assert.Contains($"```csharp\n{Snippet(snippet)}\n```", readme, $"copy the lines between '// readme: {snippet}' and '// readme: end' into {document}");
    }

    /// <summary>The lines of a snippet, without what they are indented by here.</summary>
    internal static string Snippet(string snippet)
    {
        var lines = File.ReadAllLines(RepositoryRoot.Of("tests", "OnnxDistill.Tests", "Repository", "ReadmeCodeTests.cs"));
        var begin = Array.FindIndex(lines, l => l.Trim() == $"// readme: {snippet}") + 1;
        var end = Array.FindIndex(lines, begin, l => l.Trim() == "// readme: end");
        var indent = lines[begin].Length - lines[begin].TrimStart().Length;
        return string.Join('\n', lines[begin..end].Select(l => l[Math.Min(indent, l.Length)..]));
    }

    private static void InScratchFolder(Action body)
    {
        var (before, folder) = (Environment.CurrentDirectory, Directory.CreateTempSubdirectory("onnxdistill-readme-"));
        try
        {
            Environment.CurrentDirectory = folder.FullName;
            body();
        }
        finally
        {
            Environment.CurrentDirectory = before;
            folder.Delete(recursive: true);
        }
    }
}
