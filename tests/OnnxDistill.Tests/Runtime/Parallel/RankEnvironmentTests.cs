using OnnxDistill.Runtime.Parallel;

namespace OnnxDistill.Tests.Runtime.Parallel;

[TestClass]
public sealed class RankEnvironmentTests
{
    [TestMethod]
    [DataRow(16, 4, false, 4)]
    [DataRow(2, 4, false, 1)]
    [DataRow(1, 2, true, 1)]
    [DataRow(8, 2, true, 8)]
    public void ThreadsAreTheMachinesSharedOutOrTheCoresThatTheLauncherPinned(int cores, int local, bool bound, int expected) =>
        Assert.AreEqual(expected, RankEnvironment.Share(cores, local, bound));

    [TestMethod]
    public void WithoutMpirunAProcessIsAlone()
    {
        Assert.AreEqual(1, RankEnvironment.Count);
        Assert.AreSame(SingleRank.Group, RankEnvironment.Join());
    }
}
