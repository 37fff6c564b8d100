using System.Diagnostics;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Bench;

/// <summary>How fast this machine multiplies matrices in float32 when nothing else is done.</summary>
internal static class MatrixPeak
{
    private const int Chain = 8, Runs = 40;

    /// <summary>Best GFLOP/s of ONNX Runtime on chains of products that suit it: the workload's own 1024 x 400 by 400 x 400, and larger squares.</summary>
    public static double Measure() => new[] { (1024, 400), (768, 768), (1024, 1024) }.Max(s => Measure(s.Item1, s.Item2));

    private static double Measure(int rows, int width)
    {
        var b = new GraphBuilder("peak");
        var x = b.Input("x", ElementType.Float32, Shape.Of(rows, width));
        var w = b.Input("w", ElementType.Float32, Shape.Of(width, width));
        var y = x;
        for (var i = 0; i < Chain; i++)
            y = b.MatMul(y, w);
        b.Output("y", y);
        using var session = GraphSession.Create(new OnnxModel(b.Graph), new DeviceOptions { Threads = Setup.Threads });
        using var input = new TensorBuffer(ElementType.Float32, rows * width);
        using var weights = new TensorBuffer(ElementType.Float32, width * width);
        using var output = new TensorBuffer(ElementType.Float32, rows * width);
        using var binding = session.Bind([new("x", input.View(rows, width)), new("w", weights.View(width, width))], [new("y", output.View(rows, width))]);
        var flops = 2.0 * rows * width * width * Chain;
        var best = 0.0;
        for (var run = 0; run < Runs; run++)
        {
            var start = Stopwatch.GetTimestamp();
            binding.Run();
            best = Math.Max(best, flops / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best / 1e9;
    }
}
