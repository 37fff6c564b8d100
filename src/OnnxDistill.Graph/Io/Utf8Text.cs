using System.Text;
using Google.Protobuf;

namespace OnnxDistill.Graph.Io;

/// <summary>Text that the format keeps as bytes. Bytes that are no UTF-8 are refused: replacing them would change the model
/// silently.</summary>
internal static class Utf8Text
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The texts, or null with the reason noted.</summary>
    public static string[]? Decode(IEnumerable<ByteString> texts, string where, ReadContext context)
    {
        try
        {
            return [.. texts.Select(static t => Strict.GetString(t.Span))];
        }
        catch (DecoderFallbackException)
        {
            context.Unsupported($"{where} holds text that is not UTF-8 (binary data?)");
            return null;
        }
    }
}
