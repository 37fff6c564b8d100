using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>The network already is D(x; sigma): it takes x and sigma as they are and returns the denoised sample.</summary>
internal sealed class DenoiserConvention : ITeacherConvention
{
    public string Name => "denoiser";

    public string Summary => "already D(x; sigma) in the EDM frame";

    public (double Min, double Max) SigmaRange => (0.002, 80);

    public Value Denoise(GraphBuilder b, Value x, Value sigma, Func<Value, Value, Value> network) => network(x, sigma);
}
