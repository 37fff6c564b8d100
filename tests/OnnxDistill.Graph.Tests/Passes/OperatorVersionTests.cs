using System.Globalization;
using OnnxDistill.Graph.Passes;
using OnnxDistill.Graph.Passes.OpsetConversions;

namespace OnnxDistill.Graph.Tests.Passes;

/// <summary>Every change of a standard operator from opset 8 to 25 is decided: converted, refused, or kept for one of the reasons here.</summary>
[TestClass]
public sealed class OperatorVersionTests
{
    /// <summary>Changes that add a setting or a form, whose default or absence is what the operator did before.</summary>
    private const string KeptSettings = """
        ArgMax 11 12; ArgMin 11 12; AveragePool 10; Concat 11; Constant 11 12; Conv 11; ConvTranspose 11; DepthToSpace 11;
        Equal 11; Flatten 11; GRU 14; Gather 11; GatherND 12; Gemm 11; Identity 14 16; If 11 16; LSTM 14; Loop 11 16; LpPool 11 18; Max 8; MaxPool 8 10;
        MaxUnpool 11; Mean 8; Min 8; NonMaxSuppression 11; OneHot 11; OptionalGetElement 18; OptionalHasElement 18; PRelu 9; Pad 18; Pow 12; RNN 14;
        Reshape 14; Scan 11; ScatterElements 16 18; ScatterND 16 18; Shape 15; Slice 11; Sum 8; TopK 11
        """;

    /// <summary>Changes of the types that the operator takes, or of words.</summary>
    private const string KeptTypes = """
        Abs 13; Acos 22; Acosh 22; Add 13 14; ArgMax 13; ArgMin 13; Asin 22; Asinh 22; Atan 22; Atanh 22; BatchNormalization 15; Bernoulli 22; Cast 9 13;
        Ceil 13; Clip 12 13; Concat 13; Constant 9 13 19 21 23 24 25; ConstantOfShape 20 21 23 24 25; Conv 22; ConvTranspose 22; Cos 22; Cosh 22; CumSum 14;
        DepthToSpace 13; DequantizeLinear 13; Det 22; Div 13 14; Dropout 13 22; Elu 22; Equal 13 19; Erf 13; Exp 13; Expand 13; EyeLike 22;
        Flatten 9 13 21 23 24 25; Floor 13; GRU 22; Gather 13; GatherElements 13; GatherND 13; Gemm 9 13; GlobalAveragePool 22; GlobalLpPool 22;
        GlobalMaxPool 22; Greater 9 13; GreaterOrEqual 16; HardSigmoid 22; HardSwish 22; Identity 13 19 21 23 24 25; If 13 19 21 23 24 25;
        InstanceNormalization 22; IsInf 20; IsNaN 13 20; LRN 13; LSTM 22; LeakyRelu 16; Less 9 13; LessOrEqual 16; Log 13; Loop 13 19 21 23 24 25;
        LpNormalization 22; LpPool 22; MatMul 9 13; Max 12 13; MaxRoiPool 22; MaxUnpool 22; Mean 13; MeanVarianceNormalization 13; Min 12 13;
        Mish 22; Mod 13; Mul 13 14; Multinomial 22; Neg 13; NegativeLogLikelihoodLoss 13 22; NonZero 13; PRelu 16; Pad 13; Pow 13 15; QLinearMatMul 21;
        QuantizeLinear 13; RNN 22; RandomNormal 22; RandomNormalLike 22; RandomUniform 22; RandomUniformLike 22; Reciprocal 13; Relu 13 14;
        Reshape 13 19 21 23 24 25; RoiAlign 22; Round 22; Scan 16 19 21 23 24 25; ScatterElements 13; ScatterND 13; Selu 22; Shape 13 19 21 23 24 25;
        Sigmoid 13; Sign 13; Sin 22; Sinh 22; Size 13 19 21 23 24 25; Slice 13; SoftmaxCrossEntropyLoss 13; Softplus 22; Softsign 22; SpaceToDepth 13;
        SplitToSequence 24; Sqrt 13; Squeeze 21 23 24 25; Sub 13 14; Sum 13; Tan 22; Tanh 13; ThresholdedRelu 22; Tile 13; TopK 24;
        Transpose 13 21 23 24 25; Unsqueeze 21 23 24 25; Where 16
        """;

    /// <summary>Operators newer than 18 without a conversion: the converter names them as unknown.</summary>
    private static readonly string[] Refused = ["ImageDecoder", "RegexFullMatch", "StringConcat", "StringSplit"];

    [TestMethod]
    public void EveryChangeIsConvertedRefusedOrKeptForAReason()
    {
        var kept = Rows(KeptSettings).Concat(Rows(KeptTypes)).ToList();
        Assert.AreEqual("", string.Join(", ", kept.CountBy(static k => k).Where(static k => k.Value > 1).Select(static k => k.Key)), "a change is kept for one reason");
        var changes = Changes().ToList();
        Assert.AreEqual("", string.Join(", ", kept.Except(changes)), "what is kept is a change of the standard that needs a decision");
        Assert.AreEqual("", string.Join(", ", changes.Except(kept)), "undecided");
    }

    [TestMethod]
    public void OperatorsWithoutAnOpset18FormOrConversionAreRefused()
    {
        var without = OperatorVersions.All.Where(static o => !StandardOps.Contains(o.OpType)
            && !Enumerable.Range(OpsetConverter.OldestOpset, OpsetConverter.NewestOpset - OpsetConverter.OldestOpset + 1).Any(v => ConversionList.Find(o.OpType, v) is not null));
        CollectionAssert.AreEqual(Refused, without.Select(static o => o.OpType).ToArray());
    }

    [TestMethod]
    [DataRow("Softmax", 11, 11)]
    [DataRow("Softmax", 12, 11)]
    [DataRow("Softmax", 18, 13)]
    [DataRow("Attention", 18, 0)]
    [DataRow("NoSuchOperator", 18, 0)]
    public void TheVersionIsTheNewestThatTheOpsetHas(string op, int opset, int version) => Assert.AreEqual(version, OperatorVersions.Of(op, opset));

    /// <summary>Changes without a conversion, on the side that is not opset 18's.</summary>
    private static IEnumerable<(string, int)> Changes() =>
        from row in OperatorVersions.All
        where StandardOps.Contains(row.OpType)
        from version in row.Versions.Skip(1)
        let other = version > 18 ? version : version - 1
        where other >= OpsetConverter.OldestOpset && ConversionList.Find(row.OpType, other) is null
        select (row.OpType, version);

    private static IEnumerable<(string, int)> Rows(string table) => table.Split(';', StringSplitOptions.TrimEntries)
        .Select(static row => row.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        .SelectMany(static row => row.Skip(1).Select(version => (row[0], int.Parse(version, CultureInfo.InvariantCulture))));
}
