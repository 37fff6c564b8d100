namespace OnnxDistill.Artifacts.OrtTraining;

// The tables of ONNX Runtime's checkpoint (ort_training_checkpoint.fbs, ort.fbs): a field's number is its place in the table's list.

internal static class CheckpointTable
{
    public const string Identifier = "ODTC";
    public const int CurrentVersion = 2;

    public const int Version = 0, ModuleState = 1, OptimizerGroups = 2, PropertyBag = 3, Fields = 4;
}

internal static class ModuleTable
{
    public const int Trainable = 0, Frozen = 1, IsNominal = 2, HasExternalData = 3, Fields = 4;
}

internal static class GroupTable
{
    public const int Name = 0, Step = 1, InitialLearningRate = 2, States = 3, Fields = 4;
}

internal static class MomentsTable
{
    public const int Parameter = 0, Moments = 1, Fields = 2;
}

internal static class BagTable
{
    public const int Ints = 0, Floats = 1, Strings = 2, Fields = 3;
}

internal static class PropertyTable
{
    public const int Name = 0, Value = 1, Fields = 2;
}

internal static class TensorTable
{
    public const int Name = 0, DocString = 1, Dims = 2, DataType = 3, RawData = 4, StringData = 5, ExternalDataOffset = 6, Fields = 7;

    /// <summary>The offset of a tensor whose numbers are in the file itself.</summary>
    public const long Inline = -1;
}
