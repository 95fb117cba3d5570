using StripeMeter.V1;
using StoredMapping = StripeMeter.Metering.Mappings.Mapping;

namespace StripeMeter.Pusher.Mappings;

/// <summary>Works out which meter a changed mapping means: of price, meter and event name, what was changed leads the others.</summary>
internal static class MeterChoice
{
    /// <summary>Clears what has to be read anew. False if nothing has: the meter is as it was.</summary>
    public static bool Follow(Mapping changed, StoredMapping before)
    {
        // The payload keys are Stripe's to say.
        (changed.MeterCustomerKey, changed.MeterValueKey, changed.MeterSink) =
            (before.MeterCustomerKey, before.MeterValueKey, before.Sink.ToWire());
        var old = new Choice(before.PriceId, before.MeterId, before.MeterEventName);
        var now = new Choice(changed.PriceId, changed.MeterId, changed.MeterEventName);
        if (changed.StripeAccount == before.StripeAccount && changed.Currency == before.Currency && now == old)
            return false;
        (_, changed.MeterId, changed.MeterEventName) = now.Following(old);
        return true;
    }

    /// <summary>The same for shadow usage. False also if there is none.</summary>
    public static bool FollowShadow(Mapping changed, StoredMapping before)
    {
        (changed.ShadowMeterCustomerKey, changed.ShadowMeterValueKey, changed.ShadowMeterSink) =
            (before.ShadowMeter.CustomerKey ?? "", before.ShadowMeter.ValueKey ?? "", before.ShadowMeter.Sink.ToWire());
        var old = new Choice(before.ShadowPriceId, before.ShadowMeterId, before.ShadowMeter.EventName ?? "");
        var now = new Choice(changed.ShadowPriceId, changed.ShadowMeterId, changed.ShadowMeterEventName);
        // It may have been named before, and never read.
        var isAsBefore = old.EventName.Length > 0 && changed.ShadowStripeAccount == before.ShadowStripeAccount && now == old;
        if (!changed.Shadow || isAsBefore)
            return false;
        (_, changed.ShadowMeterId, changed.ShadowMeterEventName) = now.Following(old);
        return true;
    }

    private readonly record struct Choice(string PriceId, string MeterId, string EventName)
    {
        /// <summary>Without what was not changed and does not fit what was.</summary>
        public Choice Following(Choice before)
        {
            var (meterId, eventName) = (MeterId, EventName);
            var isSameMeter = MeterId == before.MeterId;
            if (isSameMeter && ((PriceId != before.PriceId && PriceId.Length > 0) || (EventName != before.EventName && EventName.Length > 0)))
                meterId = "";
            if (EventName == before.EventName && (!isSameMeter || meterId.Length == 0) && meterId + PriceId != "")
                eventName = "";
            return new Choice(PriceId, meterId, eventName);
        }
    }
}
