using System.Runtime.InteropServices;
using OnnxDistill.Runtime.Parallel;

namespace OnnxDistill.Runtime.Native;

/// <summary>
/// The dozen functions of Open MPI's library that data parallel training needs. Its handles (MPI_COMM_WORLD, MPI_FLOAT, MPI_SUM, ...) are addresses
/// of exported symbols, in other MPIs they are numbers: hence Open MPI only.
/// </summary>
internal sealed unsafe class MpiLibrary
{
    /// <summary>Names the user's choice of the library's file, for installations off the loader's path.</summary>
    public const string LibraryVariable = "ONNXDISTILL_MPI_LIBRARY";

    private const int ThreadFunneled = 1;
    private static readonly string[] Names = ["libmpi.so.40", "libmpi.so", "libmpi.so.80", "libmpi.40.dylib", "libmpi.dylib"];
    private static readonly void* InPlace = (void*)1;

    private readonly nint _library, _world, _float, _double, _byte, _sum;

    private MpiLibrary(nint library, string name)
    {
        _library = library;
        string[] symbols = ["ompi_mpi_comm_world", "ompi_mpi_float", "ompi_mpi_double", "ompi_mpi_byte", "ompi_mpi_op_sum"];
        var missing = symbols.Where(s => !NativeLibrary.TryGetExport(library, s, out _)).ToArray();
        if (missing.Length > 0)
        {
            throw new RuntimeUnavailableException($"mpirun started {RankEnvironment.Count} processes and '{name}' was loaded, but it is not Open MPI's library (it lacks "
                + $"{string.Join(", ", missing)}). Install Open MPI 4 or 5 (apt-get install openmpi-bin libopenmpi3), or name its libmpi.so in {LibraryVariable}.");
        }
        (_world, _float, _double) = (NativeLibrary.GetExport(library, symbols[0]), NativeLibrary.GetExport(library, symbols[1]), NativeLibrary.GetExport(library, symbols[2]));
        (_byte, _sum) = (NativeLibrary.GetExport(library, symbols[3]), NativeLibrary.GetExport(library, symbols[4]));
    }

    public static MpiLibrary Load()
    {
        var named = Environment.GetEnvironmentVariable(LibraryVariable);
        string[] names = string.IsNullOrEmpty(named) ? Names : [named];
        foreach (var name in names)
        {
            if (NativeLibrary.TryLoad(name, out var library))
                return new MpiLibrary(library, name);
        }
        throw new RuntimeUnavailableException($"mpirun started {RankEnvironment.Count} processes, but Open MPI's library cannot be loaded (tried {string.Join(", ", names)}). "
            + $"Install it on every machine (apt-get install openmpi-bin libopenmpi3), name its file in {LibraryVariable}, or start one process without mpirun.");
    }

    public (int Rank, int Count) Init()
    {
        int provided, rank, count;
        Check("MPI_Init_thread", ((delegate* unmanaged<int*, void*, int, int*, int>)Function("MPI_Init_thread"))(null, null, ThreadFunneled, &provided));
        Check("MPI_Comm_rank", ((delegate* unmanaged<nint, int*, int>)Function("MPI_Comm_rank"))(_world, &rank));
        Check("MPI_Comm_size", ((delegate* unmanaged<nint, int*, int>)Function("MPI_Comm_size"))(_world, &count));
        return (rank, count);
    }

    public void SumFloats(void* numbers, int count) => AllReduce(numbers, count, _float);

    public void SumDoubles(void* numbers, int count) => AllReduce(numbers, count, _double);

    public void BroadcastBytes(void* bytes, int count) =>
        Check("MPI_Bcast", ((delegate* unmanaged<void*, int, nint, int, nint, int>)Function("MPI_Bcast"))(bytes, count, _byte, 0, _world));

    public void GatherFloats(void* part, int count, void* all, int* counts, int* starts) => Check("MPI_Allgatherv",
        ((delegate* unmanaged<void*, int, nint, void*, int*, int*, nint, nint, int>)Function("MPI_Allgatherv"))(part, count, _float, all, counts, starts, _float, _world));

    public void Barrier() => Check("MPI_Barrier", ((delegate* unmanaged<nint, int>)Function("MPI_Barrier"))(_world));

    public void Abort(int code) => _ = ((delegate* unmanaged<nint, int, int>)Function("MPI_Abort"))(_world, code);

    public void Leave() => Check("MPI_Finalize", ((delegate* unmanaged<int>)Function("MPI_Finalize"))());

    private void AllReduce(void* numbers, int count, nint type) => Check("MPI_Allreduce",
        ((delegate* unmanaged<void*, void*, int, nint, nint, nint, int>)Function("MPI_Allreduce"))(InPlace, numbers, count, type, _sum, _world));

    private nint Function(string name) => NativeLibrary.GetExport(_library, name);

    // Open MPI's default is to end the job with a message of its own; this is for error handlers that a user has set.
    private static void Check(string function, int result)
    {
        if (result != 0)
            throw new RuntimeUnavailableException($"{function} failed with code {result}. Open MPI's own messages above tell more; check the network between the machines.");
    }
}
