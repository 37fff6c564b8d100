using OnnxDistill.Graph.Model;

namespace OnnxDistill.Teachers.Conventions;

/// <summary>Noise levels [N] as a network knows them.</summary>
/// <param name="Sigma">Noise over signal, in the units of its data.</param>
/// <param name="Alpha">Signal in its own state.</param>
/// <param name="Time">What it is told, as a real number.</param>
internal sealed record NoiseLevel(Value Sigma, Value Alpha, Value Time);
