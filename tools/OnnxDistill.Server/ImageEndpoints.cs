using System.Globalization;
using Microsoft.Net.Http.Headers;
using OnnxDistill.Runtime.Generation;

namespace OnnxDistill.Server;

/// <summary>What the images are.</summary>
/// <param name="Width">Pixels of a row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Channels">Bytes of a pixel.</param>
/// <param name="Labels">Number of classes; 0 for none.</param>
/// <param name="Version">A word that changes with the model.</param>
internal sealed record ImageForm(int Width, int Height, int Channels, int Labels, string Version)
{
    /// <summary>Bytes of one image.</summary>
    public int Bytes => Width * Height * Channels;
}

/// <summary>The server's addresses.</summary>
internal static class ImageEndpoints
{
    private const string Cache = "public, max-age=86400";

    /// <summary>Adds <c>/image</c>, <c>/health</c> and <c>/stats</c>.</summary>
    public static void Map(IEndpointRouteBuilder app, BatchedGenerator images, ImageForm form)
    {
        app.MapGet("/image", context => ImageAsync(context, images, form));
        app.MapGet("/health", () => TypedResults.Text($"ok: {form.Width}x{form.Height}, {form.Channels} channels, {form.Labels} classes, model {form.Version}\n"));
        app.MapGet("/stats", () => TypedResults.Json(images.Statistics));
    }

    private static async Task ImageAsync(HttpContext context, BatchedGenerator images, ImageForm form)
    {
        if (Read(context.Request.Query, form, out var request) is { } fault)
        {
            await Refuse(context, StatusCodes.Status400BadRequest, fault);
            return;
        }
        // Weak: the same image, but a batch of another size may round a pixel the other way.
        var tag = new EntityTagHeaderValue(string.Create(CultureInfo.InvariantCulture, $"\"{form.Version}-{request.Seed}-{request.Label}\""), isWeak: true);
        if (context.Request.GetTypedHeaders().IfNoneMatch.Any(t => t.Compare(tag, useStrongComparison: false) || t.Equals(EntityTagHeaderValue.Any)))
        {
            Describe(context.Response, tag);
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        try
        {
            if (images.TryDraw(request, context.RequestAborted) is not { } image)
            {
                context.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(images.TimeOfQueue.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
                await Refuse(context, StatusCodes.Status429TooManyRequests, "The queue is full. Try again later.");
                return;
            }
            var png = Png.Encode(await image, form);
            Describe(context.Response, tag);
            context.Response.ContentType = "image/png";
            context.Response.ContentLength = png.Length;
            await context.Response.Body.WriteAsync(png, context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has left; there is nobody to answer.
        }
        catch (ObjectDisposedException)
        {
            await Refuse(context, StatusCodes.Status503ServiceUnavailable, "The server is stopping.");
        }
    }

    /// <summary>What is wrong with the query; null when nothing is.</summary>
    private static string? Read(IQueryCollection query, ImageForm form, out GeneratorRequest request)
    {
        request = default;
        long seed = 0, label = 0;
        foreach (var (name, values) in query)
        {
            switch (name)
            {
                case "seed":
                    if (!long.TryParse(values, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out seed))
                        return $"seed: found '{values}', expected a whole number of 64 bits.";
                    break;
                case "label":
                    if (form.Labels == 0)
                        return "label: this generator has no classes; leave it out.";
                    if (!long.TryParse(values, NumberStyles.None, CultureInfo.InvariantCulture, out label) || label >= form.Labels)
                        return $"label: found '{values}', expected 0 to {form.Labels - 1}.";
                    break;
                default:
                    return $"'{name}' is not known; /image takes seed and label.";
            }
        }
        request = new GeneratorRequest(seed, form.Labels > 0 ? label : null);
        return null;
    }

    private static void Describe(HttpResponse response, EntityTagHeaderValue tag)
    {
        response.GetTypedHeaders().ETag = tag;
        response.Headers.CacheControl = Cache;
    }

    private static Task Refuse(HttpContext context, int status, string words)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(words + "\n", context.RequestAborted);
    }
}
