namespace OnnxDistill.Bench;

/// <summary>Something that both sides do, timed against each other.</summary>
internal interface IWorkload
{
    /// <summary>Its name on the command line and that of its page of results.</summary>
    string Name { get; }

    /// <summary>Heading of its page.</summary>
    string Title { get; }

    /// <summary>What a step does, in a sentence or two.</summary>
    string Description { get; }

    /// <summary>The networks.</summary>
    ISubject Subject { get; }

    /// <summary>Images that a step gives, for sampling; 0 for training, where time an iteration is what counts.</summary>
    int Images { get; }

    /// <summary>Multiplications and additions in the matrix products and convolutions of a step.</summary>
    double Flops(Setup setup);

    /// <summary>One side.</summary>
    /// <param name="side">A name of <see cref="Worker"/>.</param>
    /// <param name="setup">Recipe and teacher.</param>
    ISide Create(string side, Setup setup);

    /// <summary>Runs both sides from the same weights with the same noise.</summary>
    /// <exception cref="InvalidOperationException">They differ by more than the tolerance.</exception>
    CrossCheck Check(Func<string[], Setup> load);
}
