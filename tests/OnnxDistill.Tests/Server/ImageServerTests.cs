using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using OnnxDistill.Runtime.Generation;
using OnnxDistill.Runtime.Sessions;
using OnnxDistill.Server;
using OnnxDistill.Tests.Runtime.Generation;
using SkiaSharp;

namespace OnnxDistill.Tests.Server;

/// <summary>The server of images over loopback.</summary>
[TestClass]
public sealed class ImageServerTests
{
    private static readonly ImageForm Pair = new(2, 1, 1, 3, "v1");

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task AnImageIsTheSamplersOfItsSeedAndLabel()
    {
        using var generator = OneStepGenerator.Load(GeneratorFiles.Digits, new DeviceOptions { Threads = 1 });
        var form = ServerOptions.FormOf(generator, "digits");
        await using var images = new BatchedGenerator((requests, pixels) => generator.Sample(requests, pixels), form.Bytes, new BatchOptions { Workers = 2 });
        await using var server = await StartAsync(images, form);
        using var client = Client(server);
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => client.GetByteArrayAsync($"/image?seed={40 + i}&label={i % 10}")));
        for (var i = 0; i < answers.Length; i++)
        {
            using var picture = SKBitmap.Decode(answers[i]);
            Assert.AreEqual(SKColorType.Gray8, picture.ColorType);
            var expected = generator.Sample(1, 40 + i, i % 10).Pixels;
            for (var at = 0; at < expected.Length; at++)
                Assert.AreEqual(expected[at], picture.GetPixel(at % 28, at / 28).Red, 1, "another batch size may round a pixel the other way");
        }
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    [DataRow(3)]
    [DataRow(4)]
    public void ColoursArriveInTheirPlaces(int channels)
    {
        byte[] pixels = [.. Enumerable.Range(0, 6 * channels).Select(i => (byte)(channels == 4 && i % 4 == 3 ? 255 : i * 9))];
        using var picture = SKBitmap.Decode(Png.Encode(pixels, new ImageForm(2, 3, channels, 0, "")));
        for (var i = 0; i < 6; i++)
        {
            var colour = picture.GetPixel(i % 2, i / 2);
            CollectionAssert.AreEqual(pixels[(i * channels)..((i * channels) + 3)], new[] { colour.Red, colour.Green, colour.Blue });
        }
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    [DataRow("seed=x", "seed: found 'x'")]
    [DataRow("seed=", "seed: found ''")]
    [DataRow("seed=1&seed=2", "seed: found '1,2'")]
    [DataRow("seed=9223372036854775808", "64 bits")]
    [DataRow("label=3", "expected 0 to 2")]
    [DataRow("label=-1", "expected 0 to 2")]
    [DataRow("lable=1", "'lable' is not known")]
    public async Task WrongInputIsAnsweredWithWhatIsWrong(string query, string part)
    {
        using var slow = new SlowGenerator();
        await using var images = slow.Queue(new BatchOptions());
        await using var server = await StartAsync(images, Pair);
        using var client = Client(server);
        using var answer = await client.GetAsync($"/image?{query}");
        Assert.AreEqual(HttpStatusCode.BadRequest, answer.StatusCode);
        StringAssert.Contains(await answer.Content.ReadAsStringAsync(), part);
        Assert.AreEqual(0, images.Statistics.Accepted);
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task AFullQueueIsAnsweredWith429()
    {
        using var slow = new SlowGenerator();
        await using var images = slow.Queue(new BatchOptions { Queue = 1, Batch = 1 });
        await using var server = await StartAsync(images, Pair);
        using var client = Client(server);
        var first = client.GetAsync("/image?seed=1");
        slow.AwaitBegun();
        var second = client.GetAsync("/image?seed=2");
        await Until(() => images.Statistics.Waiting == 1);
        using var third = await client.GetAsync("/image?seed=3");
        Assert.AreEqual(HttpStatusCode.TooManyRequests, third.StatusCode);
        Assert.AreEqual(TimeSpan.FromSeconds(1), third.Headers.RetryAfter!.Delta);
        slow.Release(2);
        foreach (var answer in await Task.WhenAll(first, second))
            Assert.AreEqual(HttpStatusCode.OK, answer.StatusCode);
        using var statistics = JsonDocument.Parse(await client.GetStringAsync("/stats"));
        Assert.AreEqual(1, statistics.RootElement.GetProperty("rejected").GetInt64());
        Assert.AreEqual(2, statistics.RootElement.GetProperty("drawn").GetInt64());
        StringAssert.Contains(await client.GetStringAsync("/health"), "2x1");
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task AClientThatLeavesGivesItsPlaceBack()
    {
        using var slow = new SlowGenerator();
        await using var images = slow.Queue(new BatchOptions { Queue = 1, Batch = 1 });
        await using var server = await StartAsync(images, Pair);
        using var client = Client(server);
        using var leaving = new CancellationTokenSource();
        var first = client.GetAsync("/image?seed=1");
        slow.AwaitBegun();
        var gone = client.GetAsync("/image?seed=2", leaving.Token);
        await Until(() => images.Statistics.Waiting == 1);
        leaving.Cancel();
        await Assert.ThrowsAsync<OperationCanceledException>(() => gone);
        await Until(() => images.Statistics.Cancelled == 1);
        var third = client.GetAsync("/image?seed=3");
        await Until(() => images.Statistics.Waiting == 1);
        slow.Release(2);
        Assert.AreEqual(HttpStatusCode.OK, (await first).StatusCode);
        Assert.AreEqual(HttpStatusCode.OK, (await third).StatusCode);
        CollectionAssert.AreEqual(new long[] { 1, 3 }, slow.Seeds.ToArray());
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task AnImageThatTheClientHasIsNotDrawnAgain()
    {
        using var slow = new SlowGenerator();
        slow.Release(2);
        await using var images = slow.Queue(new BatchOptions());
        await using var server = await StartAsync(images, Pair);
        using var client = Client(server);
        using var first = await client.GetAsync("/image?seed=1&label=2");
        Assert.AreEqual(TimeSpan.FromDays(1), first.Headers.CacheControl!.MaxAge);
        var tag = first.Headers.ETag!;
        Assert.AreEqual(HttpStatusCode.NotModified, await StatusFor("/image?seed=1&label=2"));
        Assert.AreEqual(1, images.Statistics.Drawn);
        Assert.AreEqual(HttpStatusCode.OK, await StatusFor("/image?seed=1&label=1"));

        async Task<HttpStatusCode> StatusFor(string address)
        {
            using var again = new HttpRequestMessage(HttpMethod.Get, address);
            again.Headers.IfNoneMatch.Add(new EntityTagHeaderValue(tag.Tag, tag.IsWeak));
            using var answer = await client.SendAsync(again);
            return answer.StatusCode;
        }
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task StoppingAnswersWhatIsUnderWay()
    {
        using var slow = new SlowGenerator();
        await using var images = slow.Queue(new BatchOptions { Batch = 1 });
        await using var server = await StartAsync(images, Pair);
        using var client = Client(server);
        var answers = Enumerable.Range(0, 3).Select(i => client.GetAsync($"/image?seed={i}")).ToArray();
        await Until(() => images.Statistics.Accepted == 3);
        var stopped = server.StopAsync();
        slow.Release(3);
        foreach (var answer in await Task.WhenAll(answers))
            Assert.AreEqual(HttpStatusCode.OK, answer.StatusCode);
        await stopped;
    }

    [TestMethod, Timeout(60_000, CooperativeCancellation = true)]
    public async Task AfterTheQueueHasStoppedTheAnswerIs503()
    {
        using var slow = new SlowGenerator();
        var images = slow.Queue(new BatchOptions());
        await using var server = await StartAsync(images, Pair);
        using var client = Client(server);
        await images.DisposeAsync();
        using var answer = await client.GetAsync("/image");
        Assert.AreEqual(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
    }

    private static async Task<WebApplication> StartAsync(BatchedGenerator images, ImageForm form)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        ImageEndpoints.Map(app, images, form);
        await app.StartAsync();
        return app;
    }

    private static HttpClient Client(WebApplication server) => new() { BaseAddress = new Uri(server.Urls.First()) };

    private static async Task Until(Func<bool> condition)
    {
        for (var i = 0; i < 3000 && !condition(); i++)
            await Task.Delay(10);
        Assert.IsTrue(condition(), "it did not come to that within 30 seconds");
    }
}
