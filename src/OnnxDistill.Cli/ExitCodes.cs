namespace OnnxDistill.Cli;

/// <summary>Exit codes of the command (design.md section 5).</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Unexpected = 1;
    public const int WrongUsage = 2;
    public const int BadInput = 3;
    public const int NotSupported = 4;
    public const int CheckFailed = 5;
    public const int Diverged = 6;
    public const int Stopped = 130;
}
