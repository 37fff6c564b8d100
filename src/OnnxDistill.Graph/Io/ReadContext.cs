using System.Globalization;
using System.Text;

namespace OnnxDistill.Graph.Io;

/// <summary>What is being read, where its external data may lie, and everything found wrong so far: a user gets all of it at
/// once.</summary>
/// <param name="what">The file as messages name it.</param>
/// <param name="folder">The folder that external data must stay in, or null when there is none.</param>
internal sealed class ReadContext(string what, string? folder)
{
    /// <summary>A damaged file can hold a million findings; nobody reads more than these.</summary>
    private const int MostFindingsShown = 100;

    private readonly List<string> _damaged = [];
    private readonly List<string> _unsupported = [];

    /// <summary>The folder that external data must stay in, or null when there is none.</summary>
    public string? Folder { get; } = folder;

    /// <summary>Notes that the file contradicts itself or the format.</summary>
    public void Damaged(string finding) => _damaged.Add(finding);

    /// <summary>Notes that the file is sound but uses something that the graph model has no place for.</summary>
    public void Unsupported(string finding) => _unsupported.Add(finding);

    /// <summary>Throws when anything was noted.</summary>
    public void ThrowIfAny()
    {
        if (_damaged.Count > 0)
            throw new ModelFileException(List($"{what} is not a valid ONNX file", _damaged));
        if (_unsupported.Count > 0)
            throw new UnsupportedOpException(List($"{what} uses parts of ONNX that OnnxDistill does not read", _unsupported));
    }

    private static string List(string headline, List<string> findings)
    {
        var text = new StringBuilder(headline).Append(':');
        foreach (var finding in findings.Take(MostFindingsShown))
            text.Append("\n  - ").Append(finding);
        if (findings.Count > MostFindingsShown)
            text.Append(CultureInfo.InvariantCulture, $"\n  - and {findings.Count - MostFindingsShown} more");
        return text.ToString();
    }
}
