using SkiaSharp;

namespace OnnxDistill.Imaging;

/// <summary>A picture of a strip.</summary>
/// <param name="Group">What neighbours have in common, written once above the first of them; empty for a picture on its own.</param>
/// <param name="Label">Its own name.</param>
/// <param name="Png">The picture, a PNG file's bytes.</param>
internal readonly record struct StripItem(string Group, string Label, byte[] Png);

/// <summary>Pictures side by side as one, in groups, each with its name above it.</summary>
/// <param name="Items">The pictures from left to right.</param>
internal sealed record PictureStrip(IReadOnlyList<StripItem> Items)
{
    private const float GroupGap = 18;
    private const float GroupLine = 20;
    private const float LabelLine = 38;
    private const float HeaderHeight = 46;
    private const float Margin = 10;

    private static readonly TextStyle GroupStyle = new(9.5f, PlotColors.Text, 1.2f);
    private static readonly TextStyle LabelStyle = new(7.5f, PlotColors.Text);

    /// <summary>Draws the strip.</summary>
    /// <returns>A PNG file's bytes.</returns>
    public byte[] ToPng()
    {
        var pictures = Items.Select(static item => SKBitmap.Decode(item.Png)).ToList();
        try
        {
            var lefts = Lefts(pictures, out var width);
            var header = Items.All(static item => item is { Group: "", Label: "" }) ? Margin : HeaderHeight;
            using var surface = SKSurface.Create(new SKImageInfo((int)width, (int)(header + pictures.Max(static p => p.Height) + Margin), SKColorType.Rgba8888, SKAlphaType.Premul));
            surface.Canvas.Clear(PlotColors.Background);
            foreach (var (i, item) in Items.Index())
            {
                if (IsFirst(i))
                    StrokeFont.Draw(surface.Canvas, item.Group, lefts[i] + 2, GroupLine, GroupStyle);
                StrokeFont.Draw(surface.Canvas, item.Label, lefts[i] + 2, LabelLine, LabelStyle);
                using var picture = SKImage.FromBitmap(pictures[i]);
                surface.Canvas.DrawImage(picture, lefts[i], header, SKSamplingOptions.Default);
            }
            using var image = surface.Snapshot();
            using var data = image.Encode(SKEncodedImageFormat.Png, 100);
            return data.ToArray();
        }
        finally
        {
            pictures.ForEach(static p => p.Dispose());
        }
    }

    private bool IsFirst(int i) => i == 0 || Items[i].Group != Items[i - 1].Group;

    private float[] Lefts(List<SKBitmap> pictures, out float width)
    {
        var lefts = new float[pictures.Count];
        width = Margin;
        for (var i = 0; i < lefts.Length; i++)
        {
            width += i > 0 && IsFirst(i) ? GroupGap : 0;
            lefts[i] = width;
            width += pictures[i].Width;
        }
        width += Margin;
        return lefts;
    }
}
