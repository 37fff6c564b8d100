namespace OnnxDistill.Tests.Data;

/// <summary>Seeded numbers for tests. Only distributions are relied on, never the bits, so the framework's generator will do.</summary>
internal sealed class TestRandom(int seed)
{
    private readonly Random _random = new(seed);

    public double[] Uniforms(int count) => [.. Enumerable.Range(0, count).Select(_ => _random.NextDouble())];

    public double[] Normals(int count) => [.. Enumerable.Range(0, count).Select(_ => Normal())];

    public float[] FloatNormals(int count) => Array.ConvertAll(Normals(count), static x => (float)x);

    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
