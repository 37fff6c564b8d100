namespace OnnxDistill.Runtime.Generation;

/// <summary>One sample: that which <c>Sample(1, seed, label)</c> draws.</summary>
/// <param name="Seed">Seed of its latent.</param>
/// <param name="Label">Its class; null for class 0, or for none where the generator has no classes.</param>
public readonly record struct GeneratorRequest(long Seed, long? Label = null);
