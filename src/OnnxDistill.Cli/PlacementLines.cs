using System.Globalization;
using OnnxDistill.Runtime.Placement;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Training;

namespace OnnxDistill.Cli;

/// <summary>What a dry run tells of a CUDA device: which nodes of the run's graphs it has no kernel for.</summary>
internal static class PlacementLines
{
    public static void Add(TrainingProgram program, Report report)
    {
        var training = program.Recipe.Recipe.Training;
        if (Device.Parse(training.Device).Kind != DeviceKind.Cuda)
            return;
        var graphs = program.Graphs.Select(g => (g.Phase.Name, Placement: PlacementReport.OfCuda(g.Model)))
            .Concat(program.Networks.Select(n => (Name: $"optimizer of {n.Role}", Placement: PlacementReport.OfCuda(n.OptimizerModel)))).ToList();
        report.Set("withoutCudaKernel", graphs.SelectMany(g => g.Placement.Missing.Select(m => new { graph = g.Name, node = m.Node.ToString(), reason = m.Reason })));
        var missing = graphs.Where(g => !g.Placement.IsComplete).ToList();
        if (missing.Count == 0)
            report.Line($"CUDA: every node of every graph has a kernel (table of ONNX Runtime {PlacementReport.Source})");
        foreach (var (name, placement) in missing)
        {
            report.Line(string.Create(CultureInfo.InvariantCulture, $"CUDA, {name}: {placement.Missing.Count} of {placement.Nodes} nodes have no kernel and run on the processor, with copies:\n{placement.Describe()}"));
            if (training.Cuda.Graph)
                report.Line("  training.cuda.graph needs a kernel for each: turn it off for this model");
        }
    }
}
