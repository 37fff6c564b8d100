namespace OnnxDistill.Data.Images;

/// <summary>A set of images of one size, each with a class where there are classes; read one by one, by any number of threads at once. Owns open files.</summary>
public interface IImageSource : IDisposable
{
    /// <summary>Where the images come from, as messages and cards say it.</summary>
    string Name { get; }

    /// <summary>How many there are.</summary>
    int Count { get; }

    /// <summary>The shape of each: [C, H, W].</summary>
    IReadOnlyList<int> Dims { get; }

    /// <summary>Number of classes, 0 for images without labels.</summary>
    int Labels { get; }

    /// <summary>The classes' names in order, where they are not the numbers themselves.</summary>
    IReadOnlyList<string> LabelNames => [];

    /// <summary>What whoever uses the set should know: files that were left out, names of the classes.</summary>
    IReadOnlyList<string> Notes => [];

    /// <summary>Bytes of memory that its pixels take all the time.</summary>
    long HeldBytes { get; }

    /// <summary>The class of an image, 0 when there are none.</summary>
    int Label(int index);

    /// <summary>Reads an image in [-1, 1], row-major [C, H, W].</summary>
    /// <exception cref="Graph.ModelFileException">It can no longer be read or decoded.</exception>
    void Read(int index, Span<float> pixels);
}
