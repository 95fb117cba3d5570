using System.Text.Json.Nodes;

namespace StripeMeter.StripeDouble.Tests.Contract;

/// <summary>An error of the table: what brings it about, and all that it says. Members named as assumed are less sure than the row.</summary>
internal sealed class ContractError(JsonObject row)
{
    public string Case => (string)row["case"]!;

    public string Call => (string)row["call"]!;

    /// <summary>In the place of the call's example id.</summary>
    public string? Id => (string?)row["id"];

    /// <summary>In the place of the call's path.</summary>
    public string? Path => (string?)row["path"];

    /// <summary>In the place of the key; empty for none.</summary>
    public string? Key => (string?)row["key"];

    /// <summary>The account it names; null for none.</summary>
    public string? Account => (string?)row["account"];

    public string? IdempotencyKey => (string?)row["idempotencyKey"];

    /// <summary>Parameters that differ from the call's example; null takes one away.</summary>
    public JsonObject With => row["with"]?.AsObject() ?? [];

    /// <summary>Parameters in which a request differs that is answered before; null: there is none.</summary>
    public JsonObject? Before => row["before"]?.AsObject();

    /// <summary>Parameters in which a request differs that is still in work; null: there is none.</summary>
    public JsonObject? During => row["during"]?.AsObject();

    /// <summary>What the double's controls are told.</summary>
    public JsonObject? Faults => row["faults"]?.AsObject();

    /// <summary>How much later it is sent.</summary>
    public TimeSpan Later => TimeSpan.FromSeconds((int?)row["advanceSeconds"] ?? 0);

    public int Status => (int)row["status"]!;

    public string? Type => (string?)row["type"];

    public string? Code => (string?)row["code"];

    public string? Parameter => (string?)row["param"];

    /// <summary>What its message holds, where clients or people go by that.</summary>
    public string Says => (string?)row["says"] ?? "";

    /// <summary>The <c>Stripe-Should-Retry</c>.</summary>
    public string? ShouldRetry => (string?)row["shouldRetry"];

    /// <summary>The <c>Stripe-Rate-Limited-Reason</c>.</summary>
    public string? LimitedReason => (string?)row["limitedReason"];

    /// <summary>The members of the error, in the envelope of v1 or v2.</summary>
    public IEnumerable<string> Members => new[] { ("code", Code), ("message", ""), ("param", Parameter), ("type", Type) }
        .Where(static member => member.Item2 is not null).Select(static member => member.Item1);
}
