using Google.FlatBuffers;

namespace OnnxDistill.Artifacts.OrtTraining;

/// <summary>Walks a whole checkpoint before anything of it is read: every offset, length and text lies within the file, as ONNX Runtime checks it too.</summary>
internal static class CheckpointVerifier
{
    private static readonly VerifyTableAction Tensor = Table(Text(TensorTable.Name), Text(TensorTable.DocString), Data(TensorTable.Dims, sizeof(long)),
        Scalar(TensorTable.DataType, sizeof(int)), Data(TensorTable.RawData, 1), Texts(TensorTable.StringData), Scalar(TensorTable.ExternalDataOffset, sizeof(long)));

    private static readonly VerifyTableAction Moments = Table(Text(MomentsTable.Parameter), Tables(MomentsTable.Moments, Tensor));

    private static readonly VerifyTableAction Group = Table(Text(GroupTable.Name), Scalar(GroupTable.Step, sizeof(long)), Scalar(GroupTable.InitialLearningRate, sizeof(float)),
        Tables(GroupTable.States, Moments));

    private static readonly VerifyTableAction Module = Table(Tables(ModuleTable.Trainable, Tensor), Tables(ModuleTable.Frozen, Tensor), Scalar(ModuleTable.IsNominal, 1),
        Scalar(ModuleTable.HasExternalData, 1));

    private static readonly VerifyTableAction Bag = Table(Tables(BagTable.Ints, Property(Scalar(PropertyTable.Value, sizeof(long)))),
        Tables(BagTable.Floats, Property(Scalar(PropertyTable.Value, sizeof(float)))), Tables(BagTable.Strings, Property(Text(PropertyTable.Value))));

    private static readonly VerifyTableAction Checkpoint = Table(Scalar(CheckpointTable.Version, sizeof(int)), Inner(CheckpointTable.ModuleState, Module),
        Tables(CheckpointTable.OptimizerGroups, Group), Inner(CheckpointTable.PropertyBag, Bag));

    /// <summary>Whether the buffer is a checkpoint that can be read without running out of it.</summary>
    public static bool Accepts(ByteBuffer buffer)
    {
        try
        {
            return new Verifier(buffer, new Options()).VerifyBuffer(CheckpointTable.Identifier, false, Checkpoint);
        }
        catch (Exception error) when (error is OverflowException or ArgumentException or IndexOutOfRangeException)
        {
            // Google.FlatBuffers 25.2.10 throws at some offsets that point before the buffer instead of refusing them.
            return false;
        }
    }

    private static VerifyTableAction Property(VerifyTableAction value) => Table(Text(PropertyTable.Name), value);

    private static VerifyTableAction Table(params VerifyTableAction[] fields) =>
        (verifier, table) => verifier.VerifyTableStart(table) && Array.TrueForAll(fields, field => field(verifier, table)) && verifier.VerifyTableEnd(table);

    private static VerifyTableAction Scalar(int field, ulong bytes) => (verifier, table) => verifier.VerifyField(table, At(field), bytes, bytes, false);

    private static VerifyTableAction Text(int field) => (verifier, table) => verifier.VerifyString(table, At(field), false);

    private static VerifyTableAction Texts(int field) => (verifier, table) => verifier.VerifyVectorOfStrings(table, At(field), false);

    private static VerifyTableAction Data(int field, ulong bytes) => (verifier, table) => verifier.VerifyVectorOfData(table, At(field), bytes, false);

    private static VerifyTableAction Tables(int field, VerifyTableAction each) => (verifier, table) => verifier.VerifyVectorOfTables(table, At(field), each, false);

    private static VerifyTableAction Inner(int field, VerifyTableAction inner) => (verifier, table) => verifier.VerifyTable(table, At(field), inner, false);

    private static short At(int field) => (short)(4 + (2 * field));
}
