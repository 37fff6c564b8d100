using OnnxDistill.Graph.Model;

namespace OnnxDistill.Graph.Passes;

/// <summary>Changes a graph in place so that it computes the same outputs, under the same names, with less work.</summary>
public interface IGraphPass
{
    /// <summary>What reports call it.</summary>
    string Name { get; }

    /// <summary>Runs over the graph once.</summary>
    /// <returns>In how many places it changed something.</returns>
    int Run(OnnxGraph graph);
}
