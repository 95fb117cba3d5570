using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace StripeMeter.Gateway.Errors;

/// <summary>Names of fields in REST's spelling: <c>customer_ref</c> is <c>customerRef</c> there.</summary>
public static partial class RestNames
{
    private static readonly FrozenDictionary<string, string> Renamed = new Dictionary<string, string>
    {
        ["timestamp"] = "ts",
        ["meta_json"] = "meta",
        ["page_size"] = "limit",
        ["page_token"] = "cursor",
        ["at_time"] = "at",
        ["period_time"] = "periodStart",
        ["customer_rule"] = "customers",
        ["group_meta_key"] = "groupBy",
        ["rank_by"] = "aggregation",
        ["shadow_customer_rule"] = "shadowCustomers",
        ["backfill_id"] = "operationId",
        ["effective_time"] = "effectiveFrom",
        ["expire_time"] = "expiresAt",
        ["overlap"] = "overlapSeconds",
        ["lifetime"] = "lifetimeSeconds",
    }.ToFrozenDictionary();

    /// <summary>Takes a path of the protocol apart: <c>events[3].customer_ref</c> is field <c>customerRef</c> of event 3.</summary>
    public static (int? Index, string Field) Of(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        int? index = null;
        if (EventPath().Match(path) is { Success: true } match)
        {
            index = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            path = match.Groups[2].Value;
        }

        if (DocumentPath().Match(path) is { Success: true } document)
            return (index, WithinDocument(document.Groups[1].Value, document.Groups[2].Value));
        var parts = path.Split('.').SkipWhile(part => part == "mapping");
        return (index, string.Join('.', parts.Select(ToRest)));
    }

    /// <summary>
    /// A field with JSON text in it is a member in REST, or the whole body. What stands behind it is a path within that text,
    /// and already in its spelling: Stripe's names stay as they are.
    /// </summary>
    private static string WithinDocument(string name, string path) => (name, path) switch
    {
        ("document", "") => "body",
        ("document", _) => path,
        (_, "") => ToCamelCase(name),
        _ => $"{ToCamelCase(name)}.{path}",
    };

    private static string ToRest(string name) => Renamed.TryGetValue(name, out var renamed) ? renamed : ToCamelCase(name);

    private static string ToCamelCase(string name)
    {
        var text = new StringBuilder(name.Length);
        var upper = false;
        foreach (var character in name)
        {
            if (character != '_')
                text.Append(upper ? char.ToUpperInvariant(character) : character);
            upper = character == '_';
        }

        return text.ToString();
    }

    [GeneratedRegex(@"^events\[(\d{1,9})\]\.(.+)$")]
    private static partial Regex EventPath();

    [GeneratedRegex(@"^(\w+)_json(?:\.(.+))?$")]
    private static partial Regex DocumentPath();
}
