using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;

namespace StripeMeter.Kits.Simulated.Billing;

/// <summary>A meter event that Stripe answered 200 to.</summary>
/// <param name="Key">Customer and meter.</param>
/// <param name="Intent">What was sent.</param>
/// <param name="Received">When.</param>
/// <param name="Visible">From when the summaries show it.</param>
/// <param name="IsDropped">It was refused when it was processed, and is counted nowhere.</param>
/// <param name="IsReported">A notice says that it was dropped.</param>
public sealed record StripeEvent(DeltaKey Key, PushIntent Intent, Instant Received, Instant Visible, bool IsDropped, bool IsReported);

/// <summary>A notice that Stripe wants to deliver: that it dropped the event of an identifier.</summary>
public sealed record DropReport(string Identifier, Instant Due);

/// <summary>A call that was refused for good: the same again would be refused too.</summary>
public sealed record RefusedCall(DeltaKey Key, string Identifier, Instant Received);
