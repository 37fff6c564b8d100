using System.Globalization;
using OnnxDistill.Data.Images;
using OnnxDistill.Methods;
using OnnxDistill.Recipes;
using OnnxDistill.Students;
using OnnxDistill.Teachers;

namespace OnnxDistill.Training;

/// <summary>What a run's samples are, and who makes them, as teacher, data and recipe say.</summary>
internal static class LearnedData
{
    /// <summary>Card and shape of what is learned from data alone: the recipe's images, or its mixture.</summary>
    /// <exception cref="RecipeException">There are neither, or they have no classes that could be dropped.</exception>
    public static (TeacherCard Card, long[] DataShape) Of(Recipe recipe, IDistillationMethod method, IImageSource? images)
    {
        if (images is null && recipe.Data.Mixture.Length == 0)
            throw new RecipeException("data.images and data.mixture: found neither, expected one of them to learn from.");
        if (images is null)
        {
            var mixture = Data.GaussianMixtureCsv.Read(recipe.Data.Mixture);
            return (MixtureTeacher.Card(mixture, $"fitted to {Path.GetFileName(recipe.Data.Mixture)}"), [mixture.Dimension]);
        }
        var dropout = (method.Options as DenoisingScoreMatchingOptions)?.LabelDropout ?? 0;
        if (dropout > 0 && images.Labels == 0)
            throw new RecipeException(string.Create(CultureInfo.InvariantCulture, $"options.labelDropout: found {dropout}, but '{images.Name}' has no classes. Name them in data.labels, or leave it out."));
        var card = new TeacherCard
        {
            SigmaData = recipe.Data.SigmaData,
            Labels = images.Labels,
            NullLabel = dropout > 0 ? images.Labels : -1,
            Licence = recipe.Data.Licence,
            Source = $"fitted to {images.Name}",
        };
        return (card, [.. images.Dims.Select(d => (long)d)]);
    }

    /// <summary>Whether the recipe gives the student a network that is no denoiser.</summary>
    public static bool HasOwnStudent(Recipe recipe) => recipe.Student.Length > 0 || recipe.Generator is not null;

    /// <summary>The student that the recipe asks for.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="initial">The denoiser that it is at that noise level, unless it is something else.</param>
    /// <param name="sigmaInit">That noise level.</param>
    /// <param name="card">What is known of the data.</param>
    /// <param name="dataShape">Extents of one sample.</param>
    /// <exception cref="RecipeException">The generator does not fit.</exception>
    public static IStudent Student(Recipe recipe, Denoiser? initial, double sigmaInit, TeacherCard card, long[] dataShape) =>
        recipe.Student.Length > 0 ? GeneratorImporter.Read(recipe.Student, recipe.StudentImport, card.Labels, dataShape)
        : recipe.Generator is { } generator ? GeneratorCatalog.Build(generator, card, dataShape)
        : new DenoiserStudent(initial!, sigmaInit); // without a student of its own there is one
}
