using OnnxDistill.Graph.Building;
using OnnxDistill.Graph.Model;

namespace OnnxDistill.Networks;

/// <summary>Where a token lies in the image, for transformers over tokens in rows: fixed sines, or rotations of queries and keys.</summary>
internal static class PlaceEmbedding
{
    private const double LongestPeriod = 10000;

    /// <summary>The fixed embedding [1, side², width] of DiT: sines and cosines of the column, then of the row.</summary>
    public static Value Table(GraphBuilder b, long side, int width)
    {
        var quarter = width / 4;
        var table = new float[side * side * width];
        for (var token = 0; token < side * side; token++)
        {
            for (var i = 0; i < quarter; i++)
            {
                var (column, row) = (Angle(token % side, i, quarter), Angle(token / side, i, quarter));
                double[] numbers = [Math.Sin(column), Math.Cos(column), Math.Sin(row), Math.Cos(row)];
                for (var part = 0; part < 4; part++)
                    table[(token * width) + (part * quarter) + i] = (float)numbers[part];
            }
        }
        return b.Constant(TensorData.Of(table, 1, side * side, width));
    }

    /// <summary>Cosines and sines [side², width] by which <see cref="Rotate"/> turns pairs of numbers: half of the pairs by the row, half by the column.</summary>
    public static (Value Cos, Value Sin) Rotation(GraphBuilder b, long side, int width)
    {
        var (pairs, quarter) = (width / 2, width / 4);
        var (cos, sin) = (new float[side * side * width], new float[side * side * width]);
        for (var token = 0; token < side * side; token++)
        {
            for (var pair = 0; pair < pairs; pair++)
            {
                var angle = Angle(pair < quarter ? token / side : token % side, pair % quarter, quarter);
                foreach (var at in new[] { pair, pair + pairs })
                    (cos[(token * width) + at], sin[(token * width) + at]) = ((float)Math.Cos(angle), (float)Math.Sin(angle));
            }
        }
        return (b.Constant(TensorData.Of(cos, side * side, width)), b.Constant(TensorData.Of(sin, side * side, width)));
    }

    /// <summary>[N, heads, tokens, width] with number i and number i + width / 2 of each head turned as a pair.</summary>
    public static Value Rotate(GraphBuilder b, Value x, (Value Cos, Value Sin) by)
    {
        var half = x.Shape[3].Size / 2;
        var parts = b.Split(x, 3, half, half);
        return b.Add(b.Mul(x, by.Cos), b.Mul(b.Concat(3, b.Neg(parts[1]), parts[0]), by.Sin));
    }

    private static double Angle(long place, int i, int count) => place * Math.Pow(LongestPeriod, -(double)i / count);
}
