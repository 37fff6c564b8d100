using OnnxDistill.Teachers;

namespace OnnxDistill.Sampling.Levels;

/// <summary>Which noise levels a sampler stops at.</summary>
internal interface ILevelGrid
{
    /// <summary>Name on the command line.</summary>
    string Name { get; }

    /// <summary>What it is, for help texts.</summary>
    string Summary { get; }

    /// <summary>The path of that many steps for a teacher.</summary>
    /// <exception cref="ArgumentException">It has no path of so many steps.</exception>
    SamplingPath Path(TeacherCard card, int steps);
}
