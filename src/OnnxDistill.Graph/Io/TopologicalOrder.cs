namespace OnnxDistill.Graph.Io;

/// <summary>Orders numbered things so that each stands after those it depends on, moving as few as possible.</summary>
internal static class TopologicalOrder
{
    /// <summary>The order, or null when there are cycles.</summary>
    /// <param name="dependencies">For each thing, those that it depends on.</param>
    /// <param name="onCycles">The things on cycles, or on a path from one cycle to another.</param>
    public static int[]? Sort(IReadOnlyCollection<int>[] dependencies, out int[] onCycles)
    {
        var order = Peel(dependencies, [.. Enumerable.Range(0, dependencies.Length)]);
        if (order.Count == dependencies.Length)
        {
            onCycles = [];
            return [.. order];
        }
        // What is left depends on a cycle; peeling it from the other end leaves the cycles themselves.
        var left = Enumerable.Range(0, dependencies.Length).Except(order).ToHashSet();
        var reversed = new List<int>[dependencies.Length];
        for (var i = 0; i < reversed.Length; i++)
            reversed[i] = [];
        foreach (var i in left)
        {
            foreach (var j in dependencies[i].Where(left.Contains))
                reversed[j].Add(i);
        }
        left.ExceptWith(Peel(reversed, left));
        onCycles = [.. left.Order()];
        return null;
    }

    /// <summary>Takes away, lowest number first, what no longer depends on anything that is left.</summary>
    private static List<int> Peel(IReadOnlyCollection<int>[] dependencies, HashSet<int> things)
    {
        var missing = new int[dependencies.Length];
        var dependents = new List<int>?[dependencies.Length];
        var ready = new PriorityQueue<int, int>();
        foreach (var i in things)
        {
            foreach (var j in dependencies[i])
                (dependents[j] ??= []).Add(i);
            missing[i] = dependencies[i].Count;
            if (missing[i] == 0)
                ready.Enqueue(i, i);
        }
        var order = new List<int>(things.Count);
        while (ready.TryDequeue(out var i, out _))
        {
            order.Add(i);
            foreach (var j in dependents[i] ?? [])
            {
                if (--missing[j] == 0)
                    ready.Enqueue(j, j);
            }
        }
        return order;
    }
}
