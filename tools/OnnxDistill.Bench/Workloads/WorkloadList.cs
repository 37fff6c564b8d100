namespace OnnxDistill.Bench;

/// <summary>All workloads.</summary>
internal static class WorkloadList
{
    /// <summary>In the order in which they run.</summary>
    public static IReadOnlyList<IWorkload> All { get; } =
    [
        new TrainingWorkload("diff-instruct-forty", "A Diff-Instruct step of the forty modes", new Forty()),
        new TrainingWorkload("sid-dit-mnist", "A SiD step of the transformer", new DitMnist()),
        new TrainingWorkload("sid-song-unet", "A SiD step of the convolutional network", new SongUNet32()),
        new OneStepWorkload("one-step-forty", new Forty(), batch: 4096),
        new OneStepWorkload("one-step-dit-mnist", new DitMnist(), batch: 64),
        new OneStepWorkload("one-step-song-unet", new SongUNet32(), batch: 32),
        new TeacherWorkload("heun-forty", new Forty(), batch: 4096),
        new TeacherWorkload("heun-dit-mnist", new DitMnist(), batch: 64),
        new TeacherWorkload("heun-song-unet", new SongUNet32(), batch: 32),
    ];

    /// <summary>The workload of that name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static IWorkload Find(string name) => All.FirstOrDefault(w => w.Name == name)
        ?? throw new ArgumentException($"There is no workload '{name}'; there are {string.Join(", ", All.Select(w => w.Name))}.");
}
