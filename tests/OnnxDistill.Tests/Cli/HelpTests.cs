using OnnxDistill.Cli;

namespace OnnxDistill.Tests.Cli;

/// <summary>--help tells everything that a verb takes.</summary>
[TestClass]
public sealed class HelpTests
{
    public static IEnumerable<object[]> Verbs => CommandApp.Root().Subcommands.Select(c => new object[] { c.Name });

    [TestMethod]
    [DynamicData(nameof(Verbs))]
    public void HelpNamesEveryArgumentAndOptionWithItsMeaning(string verb)
    {
        var command = CommandApp.Root().Subcommands.Single(c => c.Name == verb);
        var help = CommandLine.Run(verb, "--help").Expect(0).Output;
        StringAssert.Contains(help, command.Description);
        foreach (var argument in command.Arguments)
        {
            StringAssert.Contains(help, $"<{argument.HelpName ?? argument.Name}>");
            StringAssert.Contains(help, argument.Description);
        }
        foreach (var option in command.Options.Where(o => o.Name != "--help"))
        {
            StringAssert.Contains(help, option.Name);
            Assert.IsFalse(string.IsNullOrEmpty(option.Description), $"{option.Name} tells nothing of itself");
            StringAssert.Contains(help, option.Description);
            Assert.IsTrue(option.ValueType == typeof(bool) || option.HelpName is not null, $"{option.Name} needs a name for its value");
        }
    }

    [TestMethod]
    public void TheVerbsAreListedByHelpAndWithoutAVerb()
    {
        var help = CommandLine.Run("--help").Expect(0).Output;
        Assert.AreEqual(help, CommandLine.Run().Expect(ExitCodes.WrongUsage).Output);
        foreach (var command in CommandApp.Root().Subcommands)
            StringAssert.Contains(help, command.Description);
    }
}
