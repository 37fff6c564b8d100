namespace OnnxDistill.Teachers;

/// <summary>How a raw network becomes a teacher: prediction, schedule, time, labels and range of the data are told one by one.</summary>
public sealed record ImportOptions
{
    /// <summary>What the network predicts, see <see cref="TeacherImporter.Predictions"/>.</summary>
    public string Prediction { get; init; } = "flow";

    /// <summary>Its noise schedule, see <see cref="TeacherImporter.Schedules"/>, with parameters as in <c>vp:beta_min=0.1,beta_d=19.9</c>; empty: the one that
    /// goes without saying for the prediction.</summary>
    public string Schedule { get; init; } = "";

    /// <summary>How it is told the time, see <see cref="TeacherImporter.TimeForms"/>; empty: as is usual for the schedule.</summary>
    public string Time { get; init; } = "";

    /// <summary>Number that the time is multiplied with before the network is told; null: as is usual for the schedule.</summary>
    public double? TimeScale { get; init; }

    /// <summary>Name of the noisy-sample input; empty: guessed.</summary>
    public string SampleInput { get; init; } = "";

    /// <summary>Name of the time input; empty: guessed.</summary>
    public string TimeInput { get; init; } = "";

    /// <summary>Name of the label input; empty: guessed.</summary>
    public string LabelInput { get; init; } = "";

    /// <summary>Name of the output; empty: the only one, or the only one of the sample's shape.</summary>
    public string Output { get; init; } = "";

    /// <summary>Number of classes, without a null class; 0 for an unconditional network.</summary>
    public int Labels { get; init; }

    /// <summary>The label that means "no class", -1 for none; for one-hot labels the number of classes, which stands for a row of zeros.</summary>
    public int NullLabel { get; init; } = -1;

    /// <summary>File (.npy) of class embeddings, a row a class (and one for the null class), for networks that take those; empty: labels are told as indices
    /// or one-hot rows.</summary>
    public string ClassTable { get; init; } = "";

    /// <summary>Classifier-free guidance to be folded in: D = D_null + guidance (D_class - D_null); 1 for none.</summary>
    public double Guidance { get; init; } = 1;

    /// <summary>Range of the images that the network was trained on: <c>-1..1</c>, <c>0..1</c>, <c>0..255</c>, any two numbers, or <c>free</c> (points, latents). The
    /// teacher's own is always -1..1.</summary>
    public string Range { get; init; } = "-1..1";

    /// <summary>Order of the network's color channels, <c>rgb</c> or <c>bgr</c>; the teacher's own is always rgb.</summary>
    public string Channels { get; init; } = "rgb";

    /// <summary>Order of the network's axes, <c>nchw</c> or <c>nhwc</c>; the teacher's own is always nchw.</summary>
    public string Layout { get; init; } = "nchw";

    /// <summary>What further inputs are fed, by name: a number, or an .npy file.</summary>
    public IReadOnlyDictionary<string, string> Constants { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether the teacher has to prove that it denoises. A network with random weights cannot.</summary>
    public bool ChecksDenoising { get; init; } = true;

    /// <summary>Standard deviation of the data, in the teacher's own range.</summary>
    public double SigmaData { get; init; } = 0.5;

    /// <summary>Smallest noise level of the teacher; null: the schedule's.</summary>
    public double? SigmaMin { get; init; }

    /// <summary>Largest noise level of the teacher; null: the schedule's.</summary>
    public double? SigmaMax { get; init; }

    /// <summary>Licence, as the source states it.</summary>
    public string Licence { get; init; } = "not stated";

    /// <summary>Where the network came from; empty: the file's name.</summary>
    public string Source { get; init; } = "";
}
