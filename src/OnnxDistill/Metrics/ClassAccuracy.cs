namespace OnnxDistill.Metrics;

/// <summary>Class accuracy: the share of samples in which a classifier sees the class that was asked for. Of a generator that takes classes, or of images that have labels.</summary>
/// <remarks><c>name.accuracy</c> is the share, <c>name.confidence</c> the mean probability of the class that was asked for.</remarks>
public sealed class ClassAccuracy : IMetric
{
    /// <summary>The accuracy over that many samples, under that classifier (its short name; empty when it has none).</summary>
    public ClassAccuracy(int sampleCount, string classifier = "")
    {
        Name = MetricCatalog.NameOf("accuracy", sampleCount, classifier);
        SampleCount = sampleCount;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int SampleCount { get; }

    /// <inheritdoc/>
    public MetricNeeds Needs => MetricNeeds.Classes | MetricNeeds.Labels;

    /// <inheritdoc/>
    public MetricResult Measure(MetricInputs inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var (classes, labels) = (inputs.ClassesFor(this), inputs.LabelsFor(this));
        var (right, confidence) = (0, 0.0);
        for (var i = 0; i < SampleCount; i++)
        {
            if (labels[i] < 0 || labels[i] >= classes.Count)
                throw new ArgumentException($"{Name}: sample {i} has the label {labels[i]}, but the classifier knows the classes 0 to {classes.Count - 1}.");
            right += classes.Best(i) == labels[i] ? 1 : 0;
            confidence += classes[i][(int)labels[i]];
        }
        return new MetricResult(Name, ("accuracy", right / (double)SampleCount), ("confidence", confidence / SampleCount));
    }
}
