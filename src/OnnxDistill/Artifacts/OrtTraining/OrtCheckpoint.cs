using OnnxDistill.Graph;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Artifacts.OrtTraining;

/// <summary>
/// The state of ONNX Runtime's training sessions as one file: weights, the optimizer's moments, properties. A FlatBuffer with the identifier ODTC, version 2 of
/// ONNX Runtime's schema: what releases up to 1.19.2 read and write.
/// </summary>
public sealed record OrtCheckpoint
{
    /// <summary>The parameters that are trained.</summary>
    public required IReadOnlyList<OrtParameter> Trainable { get; init; }

    /// <summary>The parameters that are not.</summary>
    public IReadOnlyList<OrtParameter> Frozen { get; init; } = [];

    /// <summary>Whether it holds names only, for a client that gets the numbers from elsewhere.</summary>
    public bool IsNominal { get; init; }

    /// <summary>State of the optimizer; empty for one that has not begun.</summary>
    public IReadOnlyList<OrtOptimizerGroup> Groups { get; init; } = [];

    /// <summary>What a client has put in beside, by name: <see cref="long"/>, <see cref="float"/> or <see cref="string"/>.</summary>
    public IReadOnlyDictionary<string, object> Properties { get; init; } = new SortedDictionary<string, object>(StringComparer.Ordinal);

    /// <summary>Reads a file, a training session's own for instance.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ModelFileException">There is none, it is no checkpoint, of another version, or damaged.</exception>
    public static OrtCheckpoint Read(string path) => CheckpointReader.Read(path);

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ModelFileException">A parameter has no name, or another one's; or all of them exceed what one FlatBuffer can hold (1.9 GB).</exception>
    public void Write(string path) => CheckpointWriter.Write(this, path);
}

/// <summary>A tensor of a checkpoint.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Data">Its numbers; null in a nominal checkpoint.</param>
public sealed record OrtParameter(string Name, TensorData? Data);

/// <summary>State of an optimizer; ONNX Runtime has one, <c>group0</c>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Step">Updates made so far.</param>
/// <param name="InitialLearningRate">The learning rate that a session starts with.</param>
/// <param name="States">The moments, one entry a trained parameter.</param>
public sealed record OrtOptimizerGroup(string Name, long Step, float InitialLearningRate, IReadOnlyList<OrtMoments> States);

/// <summary>The moments of one parameter.</summary>
/// <param name="Parameter">The parameter's name.</param>
/// <param name="Moments">momentum0 and momentum1 for AdamW.</param>
public sealed record OrtMoments(string Parameter, IReadOnlyList<OrtParameter> Moments);
