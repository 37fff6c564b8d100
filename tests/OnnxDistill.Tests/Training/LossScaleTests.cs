using OnnxDistill.Recipes;
using OnnxDistill.Training;

namespace OnnxDistill.Tests.Training;

[TestClass]
public sealed class LossScaleTests
{
    [TestMethod]
    public void ItHalvesAtOnceAndDoublesAfterEnoughGoodStepsInARow()
    {
        var scale = new LossScale(new LossScaleOptions { GrowthSteps = 3 });
        Assert.AreEqual(65536, scale.Value);
        Assert.IsTrue(scale.Note(finite: false));
        Assert.AreEqual(32768, scale.Value);
        foreach (var finite in new[] { true, true, false, true, true })
            scale.Note(finite);
        Assert.AreEqual(16384, scale.Value, "the bad step in between began the count anew");
        Assert.IsFalse(scale.Note(finite: true));
        Assert.AreEqual(32768, scale.Value);
    }

    [TestMethod]
    public void AtOneAStepThatIsNotFiniteIsNoLongerTheScalesFault()
    {
        var scale = new LossScale(new LossScaleOptions { Initial = 3 });
        Assert.IsTrue(scale.Note(finite: false));
        Assert.AreEqual(1.5, scale.Value);
        Assert.IsTrue(scale.Note(finite: false));
        Assert.AreEqual(1, scale.Value);
        Assert.IsFalse(scale.Note(finite: false));
        Assert.AreEqual(1, scale.Value);
    }

    [TestMethod]
    public void WhatIsSavedGoesOnAsIfNothingHadBeen()
    {
        var options = new LossScaleOptions { GrowthSteps = 4 };
        var (whole, first, second) = (new LossScale(options), new LossScale(options), new LossScale(options));
        bool[] steps = [false, true, true, true, true, true, true, false, true];
        foreach (var (finite, i) in steps.Select((f, i) => (f, i)))
        {
            whole.Note(finite);
            (i < 3 ? first : second).Note(finite);
            if (i == 2)
                second.Load(first.Save());
        }
        Assert.AreEqual(whole.Save().ToJsonString(), second.Save().ToJsonString());
        Assert.IsTrue(LossScale.CanLoad(whole.Save()));
        Assert.IsFalse(LossScale.CanLoad(null));
        Assert.IsFalse(LossScale.CanLoad(new System.Text.Json.Nodes.JsonObject { ["value"] = 0.25, ["goodSteps"] = 0L }), "below the least");
        Assert.IsFalse(LossScale.CanLoad(new System.Text.Json.Nodes.JsonObject { ["value"] = 2.0 }));
    }
}
