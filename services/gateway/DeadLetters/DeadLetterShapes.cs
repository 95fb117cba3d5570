using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Requests;
using StripeMeter.V1;

namespace StripeMeter.Gateway.DeadLetters;

/// <summary>Published events that were not taken.</summary>
/// <param name="DeadLetters">One page.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record DeadLetterPage(IReadOnlyList<DeadLetterAnswer> DeadLetters, string? NextCursor);

/// <summary>A published event that was not taken.</summary>
/// <param name="Id">Names it within its tenant.</param>
/// <param name="Format">json: the event, or a CloudEvent around it. protobuf: a UsageEvent as base64. unreadable: the beginning of a message that holds no event.</param>
/// <param name="Content">The event as it was published.</param>
/// <param name="Error">What is wrong, as a sentence.</param>
/// <param name="Field">The field that is wrong.</param>
/// <param name="Reason">Why.</param>
/// <param name="SeenAt">When it was refused; of one sent again and again, the first time within the hour.</param>
public sealed record DeadLetterAnswer(
    string Id, string Format, string Content, string Error, string Field, string Reason, string? SeenAt)
{
    internal static DeadLetterAnswer Of(DeadLetter letter)
    {
        var field = RestNames.Of(letter.Error.Field).Field;
        return new DeadLetterAnswer(
            letter.Id, letter.Format.ToString().ToLowerInvariant(), letter.Content, $"{field} {letter.Error.Reason}", field,
            letter.Error.Reason, RestTime.Write(letter.SeenTime));
    }
}

/// <summary>Dead letters to be taken after all.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="Ids">1 to 100 ids.</param>
public sealed record RedriveBody(string TenantId, IReadOnlyList<string> Ids);

/// <summary>What became of the letters.</summary>
/// <param name="Results">One entry per id, in their order.</param>
public sealed record RedriveAnswer(IReadOnlyList<RedriveEntry> Results);

/// <summary>What became of a letter. One that is accepted, or was a duplicate, is no longer listed.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Status">accepted, duplicate, conflict or error.</param>
/// <param name="Error">What is wrong, as a sentence.</param>
/// <param name="Field">The field that is wrong.</param>
/// <param name="Reason">Why.</param>
public sealed record RedriveEntry(string Id, string Status, string? Error, string? Field, string? Reason)
{
    internal static RedriveEntry Of(RedriveResult result)
    {
        var status = result.Status.ToString().ToLowerInvariant();
        if (result.Error is null)
            return new RedriveEntry(result.Id, status, null, null, null);
        var field = RestNames.Of(result.Error.Field).Field;
        return new RedriveEntry(result.Id, status, $"{field} {result.Error.Reason}", field, result.Error.Reason);
    }
}
