using StripeMeter.Metering.Events;
using StripeMeter.Metering.Text;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.V1;
using FieldError = StripeMeter.Metering.Events.FieldError;

namespace StripeMeter.Pusher.Mappings;

/// <summary>What the fields of a mapping must keep by themselves. Tells every field that does not.</summary>
internal static class MappingRules
{
    private const int IdLength = 100;
    private const int TableEntries = 10_000;
    private const int CurrencyLetters = 3;

    // A value of a meter event's payload has at most as many characters.
    private const int StripeCustomerLength = 100;
    private static readonly EventLimits Limits = new();

    public static IReadOnlyList<FieldError> Check(Mapping mapping)
    {
        var errors = new List<FieldError>();
        CheckMetric(errors, mapping.Metric);
        if (!Enum.IsDefined(mapping.Aggregation) || mapping.Aggregation == Aggregation.Unspecified)
            errors.Add(Field("aggregation", "must be sum, count, max, last or min"));
        CheckAccount(errors, "stripe_account", mapping.StripeAccount, isRequired: true);
        CheckId(errors, "price_id", mapping.PriceId, "price_");
        // A legacy price has no meter and stands for it.
        if (mapping.MeterId != mapping.PriceId)
            CheckId(errors, "meter_id", mapping.MeterId, "mtr_");
        CheckId(errors, "subscription_item_id", mapping.SubscriptionItemId, "si_");
        if (mapping.MeterEventName.Length > IdLength)
            errors.Add(Field("meter_event_name", $"must have at most {IdLength} characters"));
        if (mapping.PriceId.Length + mapping.MeterId.Length + mapping.MeterEventName.Length == 0)
            errors.Add(Field("price_id", "is required, unless meter_id or meter_event_name names the meter"));
        if (mapping.Currency.Length > 0 && (mapping.Currency.Length != CurrencyLetters || !mapping.Currency.All(char.IsAsciiLetter)))
            errors.Add(Field("currency", "must have three letters"));
        CheckShadow(errors, mapping);
        CheckCustomers(errors, "customer_rule", mapping.CustomerRule);
        return errors;
    }

    /// <summary>A legacy price is told by subscription items: the table must lead to them.</summary>
    public static IReadOnlyList<FieldError> CheckSink(Mapping mapping)
    {
        var rule = mapping.CustomerRule ?? new CustomerRule();
        var isLegacy = mapping.MeterSink == MeterSink.UsageRecords;
        return isLegacy && (!rule.TableOnly || rule.Table.Values.Any(item => !IsId(item, LegacyUsageRecords.ItemPrefix)))
            ? [Field("customer_rule", "must have table_only, and a table that leads to subscription items, si_…: the price has no meter, so usage records are sent to the items")]
            : [];
    }

    private static void CheckMetric(List<FieldError> errors, string metric)
    {
        if (metric.Length == 0)
            errors.Add(Field("metric", "is required"));
        else if (metric.Length > Limits.MetricLength || !PrintableText.IsPrintable(metric))
            errors.Add(Field("metric", $"must have 1 to {Limits.MetricLength} printable characters"));
    }

    private static void CheckAccount(List<FieldError> errors, string field, string account, bool isRequired)
    {
        if (account.Length == 0 && !isRequired)
            return;
        if (account != StripeCalls.OwnAccount && !IsId(account, "acct_"))
            errors.Add(Field(field, $"must be an account id, acct_…, or {StripeCalls.OwnAccount}"));
    }

    private static void CheckId(List<FieldError> errors, string field, string id, string prefix)
    {
        if (id.Length > 0 && !IsId(id, prefix))
            errors.Add(Field(field, $"must be an id of Stripe that starts with {prefix}"));
    }

    private static void CheckShadow(List<FieldError> errors, Mapping mapping)
    {
        if (mapping.Shadow && mapping.ShadowPriceId.Length + mapping.ShadowMeterId.Length + mapping.ShadowMeterEventName.Length == 0)
            errors.Add(Field("shadow_price_id", "is required with shadow, unless shadow_meter_id or shadow_meter_event_name names the meter"));
        CheckAccount(errors, "shadow_stripe_account", mapping.ShadowStripeAccount, isRequired: false);
        CheckId(errors, "shadow_price_id", mapping.ShadowPriceId, "price_");
        CheckId(errors, "shadow_meter_id", mapping.ShadowMeterId, "mtr_");
        CheckId(errors, "shadow_subscription_item_id", mapping.ShadowSubscriptionItemId, "si_");
        if (mapping.ShadowMeterEventName.Length > IdLength)
            errors.Add(Field("shadow_meter_event_name", $"must have at most {IdLength} characters"));
        CheckCustomers(errors, "shadow_customer_rule", mapping.ShadowCustomerRule);
    }

    private static void CheckCustomers(List<FieldError> errors, string field, CustomerRule? rule)
    {
        if (rule is null)
            return;
        if (rule.Prefix.Length > StripeCustomerLength || !PrintableText.IsPrintable(rule.Prefix))
            errors.Add(Field(field + ".prefix", $"must have at most {StripeCustomerLength} printable characters"));
        if (rule.Table.Count > TableEntries)
            errors.Add(Field(field + ".table", $"must have at most {TableEntries} entries, not {rule.Table.Count}"));
        foreach (var (reference, customer) in rule.Table)
        {
            if (reference.Length is 0 || reference.Length > Limits.CustomerLength || !PrintableText.IsPrintable(reference))
                errors.Add(Field(field + ".table", $"must have references of 1 to {Limits.CustomerLength} printable characters"));
            else if (customer.Length is 0 or > StripeCustomerLength || !PrintableText.IsPrintable(customer))
                errors.Add(Field(field + ".table", $"must name a Stripe customer of 1 to {StripeCustomerLength} printable characters for '{reference}'"));
            else
                continue;
            return;
        }
    }

    private static bool IsId(string id, string prefix) =>
        id.StartsWith(prefix, StringComparison.Ordinal) && id.Length > prefix.Length && id.Length <= IdLength
        && id.All(character => char.IsAsciiLetterOrDigit(character) || character == '_');

    private static FieldError Field(string name, string reason) => new("mapping." + name, reason);
}
