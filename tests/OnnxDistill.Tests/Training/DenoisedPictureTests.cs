using OnnxDistill.Recipes;
using OnnxDistill.Tests.Data;
using OnnxDistill.Tests.Repository;
using OnnxDistill.Training;
using SkiaSharp;

namespace OnnxDistill.Tests.Training;

/// <summary>The picture of what teacher and fake score make of noised samples: where there is one, and that it changes nothing else.</summary>
[TestClass]
public sealed class DenoisedPictureTests
{
    [TestMethod]
    [DataRow("diff-instruct", true)]
    [DataRow("dmd2", true)]
    [DataRow("vsd", true)]
    [DataRow("sds", true)]
    [DataRow("gan", false)]
    [DataRow("denoising-score-matching", false)]
    public void ATeachersRunHasOneAtEachSnapshotAndTheSameNumbersWithoutIt(string method, bool expected)
    {
        using var files = new TestFiles();
        Trainer.Run(Toys.Program(files, method, "training.snapshotImages=32"), files["with"], resume: false, new SilentObserver(), CancellationToken.None);
        Trainer.Run(Toys.Program(files, method, "training.snapshotImages=32", "evaluation.denoisedPicture=false"), files["without"], resume: false, new SilentObserver(), CancellationToken.None);
        RunComparison.AssertSame(files["with"], files["without"]);
        Assert.HasCount(expected ? 3 : 0, Directory.GetFiles(files["with"], "denoised-*.png"));
        Assert.IsEmpty(Directory.GetFiles(files["without"], "denoised-*.png"));
    }

    /// <summary>Where the fake score starts as the teacher, both see the same at the start, and not at the end.</summary>
    [TestMethod]
    [TestCategory("Slow")]
    public void AFakeScoreThatIsTheTeacherSeesWhatTheTeacherSees()
    {
        using var files = new TestFiles();
        var recipe = RecipeLoader.Load(RepositoryRoot.Of("models", "mnist", "first.json"), ["training.images=32", "training.batch=8", "training.snapshotImages=32", "evaluation.pictureSamples=9"]);
        Trainer.Run(TrainingProgram.Build(recipe), files["run"], resume: false, new SilentObserver(), CancellationToken.None);
        var pictures = Directory.GetFiles(files["run"], "denoised-*.png").Order(StringComparer.Ordinal).ToList();
        Assert.HasCount(2, pictures);
        Assert.IsTrue(AreSame(pictures[0]));
        Assert.IsFalse(AreSame(pictures[1]));
    }

    // Columns of 60 pixels: the student's, then at each level, 18 pixels further on, noised, teacher and fake score; 46 pixels of names above them.
    private static bool AreSame(string picture)
    {
        using var bitmap = SKBitmap.Decode(picture);
        Assert.AreEqual(10 + 60 + (3 * (18 + 180)) + 10, bitmap.Width);
        return Enumerable.Range(0, 3).All(level => Enumerable.Range(46, bitmap.Height - 46).All(y => Enumerable.Range(0, 58).All(x =>
        {
            var teacher = 10 + 60 + 18 + (level * 198) + 60 + x;
            return bitmap.GetPixel(teacher, y) == bitmap.GetPixel(teacher + 60, y);
        })));
    }
}
