using System.Text;
using System.Text.Json;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Text;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Events;

/// <summary>What every event must keep. A draft that breaks several rules is told the first, in the order of the fields.</summary>
public sealed class EventRules(EventLimits limits)
{
    private static readonly JsonDocumentOptions MetaOptions = new() { MaxDepth = CanonicalJson.MaximumDepth };

    /// <summary>Checks a draft. Returns either the event or the rule it breaks.</summary>
    public FieldError? Check(EventDraft draft, Instant now, out TenantId tenant, out UsageEvent? usage)
    {
        ArgumentNullException.ThrowIfNull(draft);
        (tenant, usage) = (default, null);
        var error = CheckNames(draft)
            ?? CheckQuantity(draft.Quantity, out var quantity)
            ?? CheckTimestamp(draft, now);
        if (error is not null)
            return error;
        error = CheckMeta(draft.Meta, out var meta);
        if (error is not null)
            return error;
        tenant = new TenantId(draft.Tenant!);
        QuantityText.Read(draft.Quantity, out quantity);
        usage = new UsageEvent(
            draft.Metric!, draft.Customer!, draft.Resource ?? "", quantity, draft.Timestamp!.Value, meta, draft.Source);
        return null;
    }

    private FieldError? CheckNames(EventDraft draft)
    {
        if (string.IsNullOrEmpty(draft.Tenant))
            return new FieldError("tenant_id", "is required");
        if (!TenantId.IsValid(draft.Tenant))
            return new FieldError("tenant_id", $"must have 1 to {TenantId.MaximumLength} printable characters");
        return CheckName("metric", draft.Metric, limits.MetricLength, required: true)
            ?? CheckName("customer_ref", draft.Customer, limits.CustomerLength, required: true)
            ?? CheckName("resource_id", draft.Resource, limits.ResourceLength, required: false)
            ?? CheckName("idempotency_key", draft.Key, limits.KeyLength, required: false);
    }

    private static FieldError? CheckName(string field, string? value, int maximumLength, bool required)
    {
        if (string.IsNullOrEmpty(value))
            return required ? new FieldError(field, "is required") : null;
        if (value.Length > maximumLength)
            return new FieldError(field, $"must have at most {maximumLength} characters, not {value.Length}");
        return PrintableText.IsPrintable(value)
            ? null
            : new FieldError(field, "must be well-formed text without control characters");
    }

    private static FieldError? CheckQuantity(string? text, out Quantity quantity)
    {
        quantity = default;
        if (string.IsNullOrEmpty(text))
            return new FieldError("quantity", "is required");
        var reason = QuantityText.Read(text, out quantity) switch
        {
            QuantityTextError.NotADecimal => "must be a decimal number, such as 12.5",
            QuantityTextError.TooManyIntegerDigits => $"must have at most {Quantity.MaximumIntegerDigits} integer digits",
            QuantityTextError.TooManyDecimals => $"must have at most {Quantity.Scale} decimals",
            _ => quantity.IsPositive ? null : "must be greater than 0",
        };
        return reason is null ? null : new FieldError("quantity", reason);
    }

    private FieldError? CheckTimestamp(EventDraft draft, Instant now)
    {
        if (draft.Timestamp is not { } timestamp)
            return new FieldError("timestamp", draft.TimestampProblem ?? "is required");
        if (timestamp < Instant.Minimum || timestamp > Instant.Maximum)
            return new FieldError("timestamp", "must be in the years 1 to 9999");
        return timestamp > now + limits.FutureTolerance
            ? new FieldError("timestamp", $"must be at most {limits.FutureTolerance.Ticks / TimeSpan.TicksPerMinute} minutes ahead of now, {now}")
            : null;
    }

    private FieldError? CheckMeta(string? text, out string canonical)
    {
        canonical = "";
        if (string.IsNullOrEmpty(text))
            return null;
        var length = Encoding.UTF8.GetByteCount(text);
        if (length > limits.MetaBytes)
            return new FieldError("meta", $"must have at most {limits.MetaBytes} bytes, not {length}");
        try
        {
            using var document = JsonDocument.Parse(text, MetaOptions);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return new FieldError("meta", "must be a JSON object");
            canonical = CanonicalJson.Write(document.RootElement);
            if (canonical == "{}")
                canonical = "";
            return null;
        }
        catch (JsonException)
        {
            return new FieldError("meta", $"must be a JSON object nested at most {CanonicalJson.MaximumDepth} deep");
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException)
        {
            return new FieldError("meta", "must be a JSON object of well-formed text that names each member once");
        }
    }
}
