using System.Security.Cryptography;
using OnnxDistill.Graph;
using OnnxDistill.Runtime;
using OnnxDistill.Runtime.Generation;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Server;

// Serves PNG images of a one-step generator. See README.md.
try
{
    if (ServerOptions.FaultOf(args) is { } fault)
        throw new ArgumentException(fault);
    var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
    var options = ServerOptions.Of(builder.Configuration);

    // Workers side by side, each on one thread: threads that share a batch wait for each other at the end of every operator.
    using var generator = OneStepGenerator.Load(options.Model, new DeviceOptions { Threads = 1 });
    var version = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(options.Model)))[..16];
    var form = ServerOptions.FormOf(generator, version);
    await using var images = new BatchedGenerator((requests, pixels) => generator.Sample(requests, pixels), form.Bytes, options.Batches);

    await using var app = builder.Build();
    ImageEndpoints.Map(app, images, form);
    await app.StartAsync();
    Console.WriteLine($"Serving {options.Model}: {string.Join(", ", app.Urls.Select(static u => u + "/image?seed=1"))} (Ctrl+C ends)");
    // Ctrl+C: no new connection; requests that are under way are answered, and the queue is drawn empty.
    await app.WaitForShutdownAsync();
    return 0;
}
catch (ArgumentException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
catch (Exception error) when (error is ModelFileException or IOException)
{
    Console.Error.WriteLine(error.Message);
    return 3;
}
catch (Exception error) when (error is RuntimeUnavailableException or UnsupportedOpException)
{
    Console.Error.WriteLine(error.Message);
    return 4;
}
