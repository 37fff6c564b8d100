using System.Diagnostics;
using OnnxDistill.Runtime.Diagnosis;

namespace OnnxDistill.Training;

/// <summary>Where a training program's time goes: whole iterations, and each phase's graph by operator and node (on its first lane).</summary>
/// <param name="MillisecondsPerIteration">Median of whole iterations, noise and optimizers included. Profiling itself makes it a little longer.</param>
/// <param name="Phases">The profile of each phase, by name, in order.</param>
public sealed record TrainingProfile(double MillisecondsPerIteration, IReadOnlyList<KeyValuePair<string, SessionProfile>> Phases)
{
    private const int WarmUp = 2;

    /// <summary>Runs iterations from the program's initial state; nothing of them is kept.</summary>
    /// <param name="program">What to run.</param>
    /// <param name="iterations">How many count; two more warm up.</param>
    public static TrainingProfile Measure(TrainingProgram program, int iterations)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, 1);
        var folder = Directory.CreateTempSubdirectory("onnxdistill-profile-");
        program.Pairs?.StandIn();
        try
        {
            var times = new List<double>();
            using (var engine = new TrainingEngine(program, Path.Combine(folder.FullName, "phase")))
            {
                for (var i = 0; i < iterations + WarmUp; i++)
                {
                    var start = Stopwatch.GetTimestamp();
                    engine.Step();
                    if (i >= WarmUp)
                        times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                }
            }
            times.Sort();
            var phases = program.Graphs.Select(g => g.Phase)
                .Select(p => KeyValuePair.Create(p.Name, SessionProfile.Read(folder.GetFiles($"phase-{p.Name}_*.json").Single().FullName, WarmUp * p.Updates)));
            return new TrainingProfile(times[times.Count / 2], [.. phases]);
        }
        finally
        {
            program.Pairs?.EndStandIn();
            folder.Delete(recursive: true);
        }
    }
}
