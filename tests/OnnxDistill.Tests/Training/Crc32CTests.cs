using System.Text;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

[TestClass]
public sealed class Crc32CTests
{
    public static IEnumerable<object[]> Vectors =>
    [
        // The check value of the polynomial's catalogue entry, and the vectors of RFC 3720 appendix B.4.
        [Encoding.ASCII.GetBytes("123456789"), 0xE3069283u],
        [new byte[32], 0x8A9136AAu],
        [Enumerable.Repeat((byte)0xFF, 32).ToArray(), 0x62A8AB43u],
        [Enumerable.Range(0, 32).Select(static i => (byte)i).ToArray(), 0x46DD794Eu],
        [Enumerable.Range(0, 32).Select(static i => (byte)(31 - i)).ToArray(), 0x113FDB5Cu],
        [Array.Empty<byte>(), 0u],
    ];

    [TestMethod]
    [DynamicData(nameof(Vectors))]
    public void ThePublishedVectorsComeOut(byte[] bytes, uint expected) => Assert.AreEqual(expected, Crc32C.Of(bytes));
}
