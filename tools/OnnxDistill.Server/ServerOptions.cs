using OnnxDistill.Runtime.Generation;

namespace OnnxDistill.Server;

/// <summary>The server's settings, from appsettings.json, environment and command line.</summary>
internal sealed record ServerOptions
{
    // What ASP.NET itself takes, in short; it ignores what it does not know, so that a slip of the pen would go unseen.
    private static readonly string[] Known = ["model", "queue", "batch", "window", "workers", "urls", "environment", "logging:loglevel:default"];

    /// <summary>The generator's file.</summary>
    public string Model { get; init; } = "";

    /// <summary>Requests that may wait.</summary>
    public int Queue { get; init; } = 64;

    /// <summary>Most requests that are drawn at once.</summary>
    public int Batch { get; init; } = 8;

    /// <summary>Microseconds that a batch waits for more; the clock goes by milliseconds.</summary>
    public int Window { get; init; }

    /// <summary>Batches side by side, each on one thread; 0 for one for each processor.</summary>
    public int Workers { get; init; }

    /// <summary>The queue's part.</summary>
    public BatchOptions Batches => new()
    {
        Queue = Queue,
        Batch = Batch,
        Window = TimeSpan.FromMicroseconds(Window),
        Workers = Workers > 0 ? Workers : Environment.ProcessorCount,
    };

    /// <summary>What is wrong with the command line; null when nothing is.</summary>
    public static string? FaultOf(string[] args)
    {
        var unknown = args.Where(static a => a.StartsWith("--", StringComparison.Ordinal)).Select(static a => a[2..].Split('=')[0])
            .FirstOrDefault(static n => !Known.Contains(n, StringComparer.OrdinalIgnoreCase));
        return unknown is null ? null : $"'--{unknown}' is not known. Options are --{string.Join(", --", Known)}.";
    }

    /// <summary>The settings, checked.</summary>
    /// <exception cref="ArgumentException">One does not make sense; the message says which.</exception>
    public static ServerOptions Of(IConfiguration configuration)
    {
        try
        {
            var options = configuration.Get<ServerOptions>()!; // the file has settings
            _ = options.Batches.Checked();
            return options.Model.Length > 0 ? options : throw new ArgumentException("--model FILE is missing: the generator that 'onnxdistill export' wrote.");
        }
        catch (InvalidOperationException error)
        {
            // "Failed to convert configuration value 'x' at 'queue' to type 'System.Int32'."
            throw new ArgumentException(error.Message, error);
        }
    }

    /// <summary>What a generator draws.</summary>
    /// <exception cref="ArgumentException">No images, or such as no PNG holds.</exception>
    public static ImageForm FormOf(OneStepGenerator generator, string version) => generator.DrawsImages && Png.CanEncode(generator.Channels)
        ? new ImageForm(generator.Width, generator.Height, generator.Channels, generator.Labels, version)
        : throw new ArgumentException($"--model: its samples have the shape [{string.Join(", ", generator.DataShape.ToArray())}], expected images of 1, 3 or 4 channels.");
}
