namespace StripeMeter.Pusher.Tests.Kit;

/// <summary>
/// Tests that read metrics. They are of all pushers of a process together, and one that ends takes some along; so no other may run.
/// </summary>
[CollectionDefinition(nameof(WholeProcess), DisableParallelization = true)]
public sealed class WholeProcess;
