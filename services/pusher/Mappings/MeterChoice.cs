using StripeMeter.V1;
using StoredMapping = StripeMeter.Metering.Mappings.Mapping;

namespace StripeMeter.Pusher.Mappings;

/// <summary>Works out which meter a changed mapping means: of price, meter and event name, what was changed leads the others.</summary>
internal static class MeterChoice
{
    /// <summary>Clears what has to be read anew. False if nothing has: the meter is as it was.</summary>
    public static bool Follow(Mapping changed, StoredMapping before)
    {
        var isSameAccount = changed.StripeAccount == before.StripeAccount;
        var isSamePrice = changed.PriceId == before.PriceId;
        var isSameMeter = changed.MeterId == before.MeterId;
        var isSameEventName = changed.MeterEventName == before.MeterEventName;
        // The payload keys are Stripe's to say.
        (changed.MeterCustomerKey, changed.MeterValueKey, changed.MeterSink) =
            (before.MeterCustomerKey, before.MeterValueKey, before.Sink.ToWire());
        if (isSameAccount && isSamePrice && isSameMeter && isSameEventName && changed.Currency == before.Currency)
            return false;
        if (!isSamePrice && changed.PriceId.Length > 0 && isSameMeter)
            changed.MeterId = "";
        if (!isSameEventName && changed.MeterEventName.Length > 0 && isSameMeter)
            changed.MeterId = "";
        if (isSameEventName && (!isSameMeter || changed.MeterId.Length == 0) && changed.MeterId + changed.PriceId != "")
            changed.MeterEventName = "";
        return true;
    }
}
