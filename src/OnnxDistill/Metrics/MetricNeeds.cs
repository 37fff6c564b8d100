namespace OnnxDistill.Metrics;

/// <summary>What a metric wants beyond samples.</summary>
[Flags]
public enum MetricNeeds
{
    /// <summary>Nothing: the samples are enough.</summary>
    None = 0,

    /// <summary>The samples (and reference) must be features of an extractor, not the samples themselves; raw points count as their own
    /// features.</summary>
    Features = 1,

    /// <summary><see cref="MetricInputs.Reference"/>: samples of the target.</summary>
    Reference = 2,

    /// <summary><see cref="MetricInputs.Statistics"/>: mean and covariance of the target's features.</summary>
    Statistics = 4,

    /// <summary><see cref="MetricInputs.Mixture"/>: the target's density.</summary>
    Mixture = 8,

    /// <summary><see cref="MetricInputs.ReferenceFeatures"/>: features of samples of the target; points count as their own.</summary>
    ReferenceFeatures = 16,

    /// <summary><see cref="MetricInputs.Classes"/>: what a classifier makes of the samples.</summary>
    Classes = 32,

    /// <summary><see cref="MetricInputs.Labels"/>: the class that each sample was asked to be of.</summary>
    Labels = 64,
}
