using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using OnnxDistill.Runtime.Parallel;

namespace OnnxDistill.Training;

/// <summary>That all ranks train the same networks: they start from rank 0's state, and every saved state is checked to be all ranks' state.</summary>
internal static class RankAgreement
{
    /// <summary>Gives every rank the state of rank 0, which alone reads files of the run: machines need not share a folder.</summary>
    /// <param name="engine">Whose state.</param>
    /// <param name="ranks">The processes.</param>
    /// <param name="loop">What the training loop has kept in the state, on rank 0.</param>
    /// <returns>Rank 0's <paramref name="loop"/>.</returns>
    /// <exception cref="RecipeException">A rank has another recipe, teacher or initial network.</exception>
    public static JsonObject? Share(TrainingEngine engine, IRankGroup ranks, JsonObject? loop)
    {
        if (ranks.Count == 1)
            return loop;
        if (Differing(TrainingState.Identity(engine), ranks) is { Length: > 0 } others)
        {
            throw new RecipeException($"rank(s) {string.Join(", ", others)} have another recipe, teacher or initial network than rank 0. "
                + "Every machine needs the same files; copy them anew.");
        }
        var text = loop is null ? [] : Encoding.UTF8.GetBytes(loop.ToJsonString());
        long[] counts = [text.Length, engine.Iteration, BitConverter.DoubleToInt64Bits(engine.LearningRateFactor), .. engine.States.Values.Select(s => s.Step)];
        ranks.Broadcast(MemoryMarshal.AsBytes(counts.AsSpan()));
        (engine.Iteration, engine.LearningRateFactor) = (counts[1], BitConverter.Int64BitsToDouble(counts[2]));
        foreach (var (state, step) in engine.States.Values.Zip(counts.Skip(3)))
        {
            state.Step = step;
            foreach (var vector in state.Vectors)
                ranks.Broadcast(state.Current(vector));
        }
        Array.Resize(ref text, (int)counts[0]);
        ranks.Broadcast(text);
        return text.Length == 0 ? null : JsonNode.Parse(text)!.AsObject();
    }

    /// <summary>Compares the ranks' states, bit for bit.</summary>
    /// <exception cref="RanksDisagreeException">They have drifted apart.</exception>
    public static void Check(TrainingEngine engine, IRankGroup ranks)
    {
        if (ranks.Count > 1 && Differing(TrainingState.Digest(engine), ranks) is { Length: > 0 } others)
        {
            throw new RanksDisagreeException($"After step {engine.Iteration} rank(s) {string.Join(", ", others)} of {ranks.Count} have other weights than rank 0, though all made the "
                + "same updates; nothing was saved. Machines of different processors, or builds of ONNX Runtime, round differently: use equal ones, and resume "
                + "from the newest state.");
        }
    }

    /// <summary>Whether any rank says so.</summary>
    public static bool Any(bool here, IRankGroup ranks)
    {
        if (ranks.Count == 1)
            return here;
        double[] votes = [here ? 1 : 0];
        ranks.Sum(votes);
        return votes[0] > 0;
    }

    /// <summary>Rank 0's number, on every rank.</summary>
    public static double OfFirst(double here, IRankGroup ranks)
    {
        ranks.Broadcast(MemoryMarshal.AsBytes(new Span<double>(ref here)));
        return here;
    }

    private static int[] Differing(byte[] mine, IRankGroup ranks)
    {
        byte[] first = [.. mine];
        ranks.Broadcast(first);
        var differs = new double[ranks.Count];
        differs[ranks.Rank] = first.AsSpan().SequenceEqual(mine) ? 0 : 1;
        ranks.Sum(differs);
        return [.. Enumerable.Range(0, ranks.Count).Where(r => differs[r] > 0)];
    }
}
