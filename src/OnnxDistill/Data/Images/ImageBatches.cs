using System.Runtime.ExceptionServices;
using OnnxDistill.Runtime.Noise;

namespace OnnxDistill.Data.Images;

/// <summary>
/// Batches of a set of images by counter: which images a part of an update holds, and which of them are mirrored, depends on seed, update and part only.
/// The next part is read ahead on other threads while the caller works on this one. For one caller at a time.
/// </summary>
public sealed class ImageBatches
{
    private readonly IImageSource _source;
    private readonly EpochOrder _order;
    private readonly NoiseStream? _mirror;
    private readonly int _samples, _batch, _size, _width;
    private (long Update, int Part) _ahead = (-1, -1);
    private Task<Batch>? _reading;

    private sealed record Batch(float[] Pixels, long[] Labels);

    /// <summary>Batches of a source.</summary>
    /// <param name="source">The images; not owned.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="stream">Names the order and the mirroring.</param>
    /// <param name="samples">Images of a part.</param>
    /// <param name="batch">Images of an update: all parts together.</param>
    /// <param name="flip">Mirror images with probability 1/2.</param>
    public ImageBatches(IImageSource source, long seed, string stream, int samples, int batch, bool flip)
    {
        (_source, _samples, _batch) = (source, samples, batch);
        _order = new EpochOrder(seed, StreamId.Named($"{stream}/order"), source.Count);
        _mirror = flip ? new NoiseStream(seed, StreamId.Named($"{stream}/flip")) : null;
        _size = source.Dims.Aggregate(1, static (n, d) => n * d);
        _width = source.Dims[^1];
    }

    /// <summary>Gives a part's images [samples, C, H, W] and classes [samples], and starts to read what comes next.</summary>
    /// <param name="update">Update, counted over the run.</param>
    /// <param name="part">Part of the batch.</param>
    /// <param name="next">The update and part that will be asked for after this.</param>
    public (float[] Pixels, long[] Labels) Take(long update, int part, (long Update, int Part) next)
    {
        // A batch that was read ahead for another place (after a rollback) is waited for and dropped.
        var ahead = _reading?.GetAwaiter().GetResult();
        var (pixels, labels) = ahead is not null && _ahead == (update, part) ? ahead : Read(update, part);
        _ahead = next;
        _reading = Task.Run(() => Read(next.Update, next.Part));
        return (pixels, labels);
    }

    private Batch Read(long update, int part)
    {
        var (pixels, labels, mirrored) = (new float[_samples * _size], new long[_samples], new float[_samples]);
        var first = (long)part * _samples;
        _mirror?.FillUniform(mirrored, update, first);
        void One(int i)
        {
            var index = _order.At((update * _batch) + first + i);
            var image = pixels.AsSpan(i * _size, _size);
            _source.Read(index, image);
            labels[i] = _source.Label(index);
            if (_mirror is null || mirrored[i] < 0.5f)
                return;
            for (var row = 0; row < _size; row += _width)
                image.Slice(row, _width).Reverse();
        }
        try
        {
            Parallel.For(0, _samples, One);
        }
        catch (AggregateException error)
        {
            // What is wrong with an image, as if it had been read here: whoever asks maps it to an exit code.
            ExceptionDispatchInfo.Throw(error.InnerExceptions[0]);
        }
        return new Batch(pixels, labels);
    }
}
