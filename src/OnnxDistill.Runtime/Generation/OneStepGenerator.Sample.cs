namespace OnnxDistill.Runtime.Generation;

/// <summary>Drawing.</summary>
public sealed partial class OneStepGenerator
{
    /// <summary>Draws images.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">Seed of the latents; image i is a function of the seed and i.</param>
    /// <param name="label">The class of all; null: classes go round, image i has class i mod <see cref="Labels"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is below 1 or too large for one array, or there is no such class.</exception>
    /// <exception cref="InvalidOperationException">Samples are no images.</exception>
    /// <exception cref="ObjectDisposedException">The generator has been disposed of.</exception>
    /// <exception cref="GraphRunException">ONNX Runtime failed.</exception>
    public GeneratedImages Sample(int count, long seed = 0, long? label = null)
    {
        var images = new GeneratedImages(count, Width, Height, Channels, new byte[Length(count)]);
        Sample(images.Pixels, seed, label);
        return images;
    }

    /// <summary>Draws an image for each request; each is the one that its seed and label alone would draw.</summary>
    /// <inheritdoc cref="Sample(int, long, long?)"/>
    public GeneratedImages Sample(ReadOnlySpan<GeneratorRequest> requests)
    {
        var images = new GeneratedImages(requests.Length, Width, Height, Channels, new byte[Length(requests.Length)]);
        Sample(requests, images.Pixels);
        return images;
    }

    /// <summary>Draws samples of any kind as numbers, in the order of <see cref="DataShape"/>; those of images lie around -1..1 and are not clipped.</summary>
    /// <inheritdoc cref="Sample(int, long, long?)"/>
    public float[] SampleNumbers(int count, long seed = 0, long? label = null)
    {
        var numbers = new float[Length(count)];
        Sample(numbers, seed, label);
        return numbers;
    }

    /// <summary>Draws as many images as the pixels of which fill a span.</summary>
    /// <param name="pixels">Where they go: as many bytes as <see cref="NumbersOfSample"/> for each image.</param>
    /// <param name="seed">Seed of the latents.</param>
    /// <param name="label">The class of all; null: classes go round.</param>
    /// <exception cref="ArgumentException">The span does not hold a whole number of images.</exception>
    /// <inheritdoc cref="Sample(int, long, long?)"/>
    public void Sample(Span<byte> pixels, long seed = 0, long? label = null)
    {
        _ = Image;
        Require(label);
        Run(new SeededLatents(seed, label, NumbersOfLatent, Labels), Count(pixels.Length), pixels, default);
    }

    /// <summary>Draws as many samples as fill a span, as numbers.</summary>
    /// <param name="numbers">Where they go: <see cref="NumbersOfSample"/> for each sample.</param>
    /// <param name="seed">Seed of the latents.</param>
    /// <param name="label">The class of all; null: classes go round.</param>
    /// <inheritdoc cref="Sample(Span{byte}, long, long?)"/>
    public void Sample(Span<float> numbers, long seed = 0, long? label = null)
    {
        Require(label);
        Run(new SeededLatents(seed, label, NumbersOfLatent, Labels), Count(numbers.Length), default, numbers);
    }

    /// <summary>Draws an image for each request into a span.</summary>
    /// <param name="requests">Seeds and classes.</param>
    /// <param name="pixels">Where the images go.</param>
    /// <inheritdoc cref="Sample(Span{byte}, long, long?)"/>
    public void Sample(ReadOnlySpan<GeneratorRequest> requests, Span<byte> pixels)
    {
        _ = Image;
        Run(Latents(requests, pixels.Length), requests.Length, pixels, default);
    }

    /// <summary>Draws a sample for each request into a span, as numbers.</summary>
    /// <param name="requests">Seeds and classes.</param>
    /// <param name="numbers">Where the samples go.</param>
    /// <inheritdoc cref="Sample(Span{byte}, long, long?)"/>
    public void Sample(ReadOnlySpan<GeneratorRequest> requests, Span<float> numbers) =>
        Run(Latents(requests, numbers.Length), requests.Length, default, numbers);

    /// <summary>Draws the images of given latents into a span.</summary>
    /// <param name="latents">Standard normal numbers, <see cref="NumbersOfLatent"/> for each image.</param>
    /// <param name="labels">A class for each image; empty: classes go round.</param>
    /// <param name="pixels">Where the images go.</param>
    /// <inheritdoc cref="Sample(Span{byte}, long, long?)"/>
    public void Generate(ReadOnlySpan<float> latents, ReadOnlySpan<long> labels, Span<byte> pixels)
    {
        _ = Image;
        Run(Latents(latents, labels, pixels.Length), Count(pixels.Length), pixels, default);
    }

    /// <summary>Draws the samples of given latents into a span, as numbers.</summary>
    /// <param name="latents">Standard normal numbers, <see cref="NumbersOfLatent"/> for each sample.</param>
    /// <param name="labels">A class for each sample; empty: classes go round.</param>
    /// <param name="numbers">Where the samples go.</param>
    /// <inheritdoc cref="Sample(Span{byte}, long, long?)"/>
    public void Generate(ReadOnlySpan<float> latents, ReadOnlySpan<long> labels, Span<float> numbers) =>
        Run(Latents(latents, labels, numbers.Length), Count(numbers.Length), default, numbers);

    // One of the two spans is the target, the other is empty.
    private void Run<T>(T source, int count, Span<byte> pixels, Span<float> numbers) where T : ILatentSource, allows ref struct
    {
        var size = NumbersOfSample;
        for (var first = 0; first < count; first += _pool.Most)
        {
            var now = Math.Min(_pool.Most, count - first);
            var batch = _pool.Rent(now);
            try
            {
                source.Fill(first, batch.Latents, batch.Labels);
                batch.Run();
                if (pixels.IsEmpty)
                    Copy(batch, numbers.Slice(first * size, now * size));
                else
                    Copy(batch, pixels.Slice(first * size, now * size));
            }
            finally
            {
                _pool.Return(batch);
            }
        }
    }

    private void Copy(GeneratorBatch batch, Span<byte> pixels)
    {
        if (_form.IsBytes)
        {
            batch.Samples<byte>().CopyTo(pixels);
            return;
        }
        var size = NumbersOfSample;
        for (var at = 0; at < pixels.Length; at += size)
            Pixels.FromPlanes(batch.Samples<float>().Slice(at, size), pixels.Slice(at, size), Channels);
    }

    private void Copy(GeneratorBatch batch, Span<float> numbers)
    {
        if (!_form.IsBytes)
        {
            batch.Samples<float>().CopyTo(numbers);
            return;
        }
        var size = NumbersOfSample;
        for (var at = 0; at < numbers.Length; at += size)
            Pixels.ToPlanes(batch.Samples<byte>().Slice(at, size), numbers.Slice(at, size), Channels);
    }

    private RequestedLatents Latents(ReadOnlySpan<GeneratorRequest> requests, int length)
    {
        Require(Count(length), requests.Length, "requests");
        foreach (var request in requests)
            Require(request.Label);
        return new RequestedLatents(requests, NumbersOfLatent);
    }

    private GivenLatents Latents(ReadOnlySpan<float> latents, ReadOnlySpan<long> labels, int length)
    {
        var count = Count(length);
        Require(checked(count * NumbersOfLatent), latents.Length, "numbers in latents");
        if (labels.Length > 0)
            Require(count, labels.Length, "labels");
        foreach (var label in labels)
            Require(label);
        return new GivenLatents(latents, labels, NumbersOfLatent, Labels);
    }

    private int Length(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return count <= Array.MaxLength / NumbersOfSample ? count * NumbersOfSample : throw new ArgumentOutOfRangeException(
            nameof(count), count, $"One array holds at most {Array.MaxLength / NumbersOfSample} of these samples. Draw fewer at once, from several seeds.");
    }

    private int Count(int length) => length > 0 && length % NumbersOfSample == 0 ? length / NumbersOfSample : throw new ArgumentException(
        $"The span has {length} numbers, expected a multiple of {NumbersOfSample}: a sample has the shape [{string.Join(", ", _form.DataShape)}].");

    private static void Require(int expected, int found, string what)
    {
        if (found != expected)
            throw new ArgumentException($"Found {found} {what}, expected {expected} for the samples that the span holds.");
    }

    private void Require(long? label)
    {
        if (label is { } asked && (asked < 0 || asked >= Labels))
        {
            throw new ArgumentOutOfRangeException(
                nameof(label), asked, Labels == 0 ? "This generator has no classes; leave the label out." : $"This generator has the classes 0 to {Labels - 1}.");
        }
    }
}
