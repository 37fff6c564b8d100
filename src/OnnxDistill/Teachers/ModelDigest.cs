using System.Security.Cryptography;
using OnnxDistill.Graph.Io;
using OnnxDistill.Graph.Model;
using OnnxDistill.Runtime.Diagnosis;

namespace OnnxDistill.Teachers;

/// <summary>SHA-256 of a model as it is written, in hexadecimal; formed once, for every state and generator of a run asks for it.</summary>
/// <param name="model">The model, which does not change any more.</param>
internal sealed class ModelDigest(OnnxModel model)
{
    private string? _digest;

    /// <summary>The digest.</summary>
    /// <exception cref="Runtime.RuntimeUnavailableException">The system's OpenSSL, which .NET computes it with, is missing.</exception>
    public string Value => _digest ??= Form();

    private string Form()
    {
        OpenSsl.Require();
        return Convert.ToHexStringLower(SHA256.HashData(OnnxWriter.ToBytes(model)));
    }
}
