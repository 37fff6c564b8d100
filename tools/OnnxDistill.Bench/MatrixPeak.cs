using System.Diagnostics;
using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Buffers;
using OnnxDistill.Runtime.Sessions;

namespace OnnxDistill.Bench;

/// <summary>How fast this machine multiplies the workload's largest matrices when nothing else is done.</summary>
internal static class MatrixPeak
{
    private const int Rows = 1024, Width = 400, Chain = 8;

    /// <summary>Best GFLOP/s of ONNX Runtime on a chain of 1024 x 400 by 400 x 400 products, weights as an input.</summary>
    public static double Measure()
    {
        var b = new GraphBuilder("peak");
        var x = b.Input("x", ElementType.Float32, Shape.Of(Rows, Width));
        var w = b.Input("w", ElementType.Float32, Shape.Of(Width, Width));
        var y = x;
        for (var i = 0; i < Chain; i++)
            y = b.MatMul(y, w);
        b.Output("y", y);
        using var session = GraphSession.Create(new OnnxModel(b.Graph), new DeviceOptions { Threads = Workload.Threads });
        using var input = new TensorBuffer(ElementType.Float32, Rows * Width);
        using var weights = new TensorBuffer(ElementType.Float32, Width * Width);
        using var output = new TensorBuffer(ElementType.Float32, Rows * Width);
        using var binding = session.Bind([new("x", input.View(Rows, Width)), new("w", weights.View(Width, Width))], [new("y", output.View(Rows, Width))]);
        const double flops = 2.0 * Rows * Width * Width * Chain;
        var best = 0.0;
        for (var run = 0; run < 100; run++)
        {
            var start = Stopwatch.GetTimestamp();
            binding.Run();
            best = Math.Max(best, flops / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best / 1e9;
    }
}
