using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;
using OnnxDistill.Networks;
using OnnxDistill.Teachers;

namespace OnnxDistill.Students;

/// <summary>A denoiser as a student: x = D(sigma_init z; sigma_init), the latent a sample's shape.</summary>
/// <param name="denoiser">The denoiser.</param>
/// <param name="sigmaInit">The noise level, in the data's units.</param>
public sealed class DenoiserStudent(Denoiser denoiser, double sigmaInit) : IStudent
{
    /// <inheritdoc/>
    public string What => denoiser.What;

    /// <inheritdoc/>
    public string Data => denoiser.Card.Data;

    /// <inheritdoc/>
    public int Labels => denoiser.Card.Labels;

    /// <inheritdoc/>
    public string Licence => denoiser.Card.Licence;

    /// <inheritdoc/>
    public long[] DataShape => denoiser.DataShape;

    /// <inheritdoc/>
    public long[] LatentShape => denoiser.DataShape;

    /// <inheritdoc/>
    public double? SigmaInit => sigmaInit;

    /// <inheritdoc/>
    public Network AtBatch(int batch) => denoiser.AtBatch(batch);

    /// <inheritdoc/>
    public Network AtAnyBatch() => denoiser.AtAnyBatch();

    /// <inheritdoc/>
    public Value Emit(GraphBuilder b, string scope, Network network, Value z, Value? label, IReadOnlyDictionary<string, Value> parameters) =>
        network.Denoise(b, scope, b.Mul(z, sigmaInit), Sigma(b, z), label, parameters);

    // The noise level as a vector of the batch's length, whatever it is at run time.
    private Value Sigma(GraphBuilder b, Value z)
    {
        if (z.Shape[0].IsKnown)
            return b.Constant(TensorData.Of([.. Enumerable.Repeat((float)sigmaInit, (int)z.Shape[0].Size)], z.Shape[0].Size));
        var batch = b.Emit("Shape", [z], ElementType.Int64, Shape.Of(1), ("start", 0), ("end", 1));
        return b.Emit("ConstantOfShape", [batch], ElementType.Float32, Shape.Of(z.Shape[0]), ("value", TensorData.Of([(float)sigmaInit], 1)));
    }
}
