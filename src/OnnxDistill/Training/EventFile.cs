using System.Buffers.Binary;
using System.Globalization;

namespace OnnxDistill.Training;

/// <summary>A TensorBoard event file: TFRecord framing (length, masked CRC-32C of it, data, masked CRC-32C of that) around <c>Event</c>
/// messages with scalars and PNG images. Steps are images seen. Every event is flushed as it is written. Owns its file; dispose of
/// it.</summary>
public sealed class EventFile : IDisposable
{
    private readonly FileStream _file;
    private readonly TimeProvider _clock;

    private EventFile(FileStream file, TimeProvider clock) => (_file, _clock) = (file, clock);

    /// <summary>The file's path.</summary>
    public string Path => _file.Name;

    /// <summary>Starts a new event file in a run folder; the files of earlier sessions stay, TensorBoard reads them as one run.</summary>
    /// <param name="folder">The folder, which must exist.</param>
    /// <param name="resumedAt">The images seen where a resumed run goes on: TensorBoard drops what earlier files have past that step.
    /// Null for a new run.</param>
    /// <param name="clock">The clock for the name and the events' times; the system's when null.</param>
    public static EventFile Create(string folder, long? resumedAt = null, TimeProvider? clock = null)
    {
        clock ??= TimeProvider.System;
        var events = new EventFile(CreateFile(folder, clock.GetUtcNow()), clock);
        events.Write(new ProtoBytes().Double(1, events.WallTime()).Text(3, "brain.Event:2"));
        if (resumedAt is { } step)
        {
            // Field 7 is session_log; status 1 is START.
            events.Write(events.At(step).Message(7, new ProtoBytes().Varint(1, 1)));
        }

        return events;
    }

    /// <summary>Writes one number under a tag such as <c>loss/student</c>.</summary>
    public void Scalar(long step, string tag, double value) =>
        Summary(step, new ProtoBytes().Text(1, tag).Float(2, (float)value));

    /// <summary>Writes one PNG image under a tag.</summary>
    public void Image(long step, string tag, ReadOnlySpan<byte> png)
    {
        var (width, height) = PngSize(png);
        var image = new ProtoBytes().Varint(1, height).Varint(2, width).Varint(3, 3).Bytes(4, png);
        Summary(step, new ProtoBytes().Text(1, tag).Message(4, image));
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static FileStream CreateFile(string folder, DateTimeOffset now)
    {
        // TensorBoard wants "tfevents" in the name and reads a folder's files in the order of their names: time first, then a counter for
        // a second file within the same second. The host name that other writers put there tells strangers about the machine and is left
        // out.
        for (var counter = 0; ; counter++)
        {
            var name = string.Create(
                CultureInfo.InvariantCulture, $"{RunFolder.EventsPrefix}{now.ToUnixTimeSeconds():D10}.{counter:D3}.onnxdistill");
            var path = System.IO.Path.Combine(folder, name);
            try
            {
                return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            }
            catch (IOException) when (File.Exists(path))
            {
            }
        }
    }

    private static (int Width, int Height) PngSize(ReadOnlySpan<byte> png) =>
        png.Length >= 24 && png[..8] is [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a]
            ? (BinaryPrimitives.ReadInt32BigEndian(png[16..]), BinaryPrimitives.ReadInt32BigEndian(png[20..]))
            : throw new ArgumentException($"Expected a PNG image, found {png.Length} bytes that do not start as one.", nameof(png));

    private double WallTime() => (_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;

    private ProtoBytes At(long step) => new ProtoBytes().Double(1, WallTime()).Varint(2, step);

    private void Summary(long step, ProtoBytes value) => Write(At(step).Message(5, new ProtoBytes().Message(1, value)));

    private void Write(ProtoBytes message)
    {
        var data = message.Written;
        Span<byte> frame = stackalloc byte[sizeof(ulong) + sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(frame, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[sizeof(ulong)..], Crc32C.Masked(frame[..sizeof(ulong)]));
        _file.Write(frame);
        _file.Write(data);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Crc32C.Masked(data));
        _file.Write(frame[..sizeof(uint)]);
        _file.Flush();
    }
}
