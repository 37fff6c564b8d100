using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Tests.Runtime.Noise;

[TestClass]
public sealed class PhiloxTests
{
    /// <summary>The known answers that Random123 publishes for philox4x32-10.</summary>
    [TestMethod]
    [DataRow(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [DataRow(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [DataRow(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void KnownAnswersHold(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint w0, uint w1, uint w2, uint w3) =>
        Assert.AreEqual(new PhiloxBlock(w0, w1, w2, w3), Philox4x32.Generate(new PhiloxBlock(c0, c1, c2, c3), k0, k1));

    [TestMethod]
    [DataRow(0u, 0u, 0u, 0u, 0u, 0u)]
    [DataRow(0xFFFFFFF8u, ~0u, ~0u, ~0u, ~0u, ~0u)]
    [DataRow(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u)]
    public void EightAtOnceAreTheSameEight(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        var (w0, w1, w2, w3) = Philox4x32.GenerateEight(new PhiloxBlock(c0, c1, c2, c3), k0, k1);
        for (var i = 0; i < 8; i++)
        {
            Assert.AreEqual(Philox4x32.Generate(new PhiloxBlock(c0 + (uint)i, c1, c2, c3), k0, k1), new PhiloxBlock(w0[i], w1[i], w2[i], w3[i]));
        }
    }
}
