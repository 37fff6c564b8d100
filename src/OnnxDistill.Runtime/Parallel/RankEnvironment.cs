using System.Globalization;

namespace OnnxDistill.Runtime.Parallel;

/// <summary>What Open MPI's launcher tells a process in its environment, before any library is loaded.</summary>
public static class RankEnvironment
{
    private const string SizeVariable = "OMPI_COMM_WORLD_SIZE", RankVariable = "OMPI_COMM_WORLD_RANK", LocalSizeVariable = "OMPI_COMM_WORLD_LOCAL_SIZE";

    // Set by the launcher when it pins each process to cores of its own.
    private const string BoundVariable = "OMPI_MCA_orte_bound_at_launch";

    /// <summary>Number of processes that mpirun started; 1 without it.</summary>
    public static int Count => Number(SizeVariable, 1);

    /// <summary>Number of this process.</summary>
    public static int Rank => Number(RankVariable, 0);

    /// <summary>Threads that are this process's share of the machine: all cores that it is pinned to, else the machine's cores among its processes.</summary>
    public static int ThreadShare => Share(Environment.ProcessorCount, Number(LocalSizeVariable, 1), Number(BoundVariable, 0) != 0);

    internal static int Share(int cores, int localCount, bool bound) => bound ? cores : Math.Max(1, cores / Math.Max(1, localCount));

    /// <summary>The group that this process belongs to: Open MPI's where mpirun started several; without it no library is loaded.</summary>
    /// <exception cref="RuntimeUnavailableException">mpirun started this process, but Open MPI's library is missing or another's.</exception>
    public static IRankGroup Join() => Count > 1 ? MpiRanks.Start() : SingleRank.Group;

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
