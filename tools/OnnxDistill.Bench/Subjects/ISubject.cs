using OnnxDistill.Recipes;

namespace OnnxDistill.Bench;

/// <summary>A teacher with the recipe that distils it, and the same network on libtorch.</summary>
internal interface ISubject
{
    /// <summary>Short name.</summary>
    string Name { get; }

    /// <summary>The networks in words.</summary>
    string Description { get; }

    /// <summary>Why it cannot be run here, or null.</summary>
    string? Missing { get; }

    /// <summary>Writes the files that the recipe needs and is not in the repository.</summary>
    /// <returns>Settings of the recipe, which name them.</returns>
    string[] Prepare(string folder);

    /// <summary>The recipe.</summary>
    LoadedRecipe Recipe(IEnumerable<string> settings);

    /// <summary>The network on libtorch, with the template's weights.</summary>
    TorchDenoiser Torch(TorchParameters parameters, Setup setup);
}
