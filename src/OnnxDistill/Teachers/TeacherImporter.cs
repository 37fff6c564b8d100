using OnnxDistill.Teachers.Checking;
using OnnxDistill.Teachers.Conventions;
using OnnxDistill.Teachers.Importing;

namespace OnnxDistill.Teachers;

/// <summary>A choice as the command line names it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Summary">What it is.</param>
public readonly record struct NamedChoice(string Name, string Summary);

/// <summary>An imported teacher and what was found on the way.</summary>
/// <param name="Teacher">The teacher.</param>
/// <param name="Decisions">Which input was taken for what, and what was folded in: a line each.</param>
/// <param name="Check">How it denoises; null when that was not to be checked.</param>
public sealed record ImportedTeacher(Denoiser Teacher, IReadOnlyList<string> Decisions, TeacherCheck? Check);

/// <summary>Wraps a raw network in-graph to a denoiser D(x; sigma), with its card in the metadata.</summary>
public static class TeacherImporter
{
    /// <summary>What a network can predict.</summary>
    public static IReadOnlyList<NamedChoice> Predictions { get; } = [.. Conventions.Predictions.All.Select(p => new NamedChoice(p.Name, p.Summary))];

    /// <summary>The noise schedules with built-in parameters; <c>table:FILE</c> stands for any other.</summary>
    public static IReadOnlyList<NamedChoice> Schedules { get; } = [.. NoiseSchedules.All.Select(s => new NamedChoice(s.Name, s.Summary)), new NamedChoice("table:FILE", NoiseSchedules.TableSummary)];

    /// <summary>How a network can be told the noise level.</summary>
    public static IReadOnlyList<NamedChoice> TimeForms { get; } = [.. Conventions.TimeForms.All.Select(t => new NamedChoice(t.Name, t.Summary))];

    /// <summary>Reads a raw network and wraps it; whether it denoises is not checked.</summary>
    /// <exception cref="Graph.ModelFileException">The file is missing or damaged, or has weights that are no numbers.</exception>
    /// <exception cref="Graph.UnsupportedOpException">Operators cannot be differentiated or brought to opset 18; all are named.</exception>
    /// <exception cref="TeacherMismatchException">Inputs do not fit the options.</exception>
    public static Denoiser Import(string path, ImportOptions options) => new TeacherWrapper(RawNetwork.Read(path), options).Wrap();

    /// <summary>Imports and, unless the options say otherwise, makes sure that the teacher denoises; if it does not, the conventions nearby that do are named.</summary>
    /// <param name="path">The network's file.</param>
    /// <param name="options">What it is.</param>
    /// <param name="stop">Ends the search for a convention that fits better.</param>
    /// <inheritdoc cref="Import"/>
    /// <exception cref="TeacherMismatchException">Inputs do not fit the options, or what comes out is no denoiser.</exception>
    public static ImportedTeacher ImportChecked(string path, ImportOptions options, CancellationToken stop = default)
    {
        var raw = RawNetwork.Read(path);
        var wrapper = new TeacherWrapper(raw, options);
        return new ImportedTeacher(wrapper.Wrap(), [.. wrapper.Describe()], options.ChecksDenoising ? ConventionSearch.Require(raw, options, stop) : null);
    }
}
