using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Events;

/// <summary>One usage fact of a tenant. Keeps every rule of <see cref="EventRules"/>.</summary>
/// <param name="Metric">What is counted. 1 to 100 characters.</param>
/// <param name="Customer">The tenant's own name for its customer. 1 to 255 characters.</param>
/// <param name="Resource">Optional part of the customer's usage. At most 255 characters; empty when there is none.</param>
/// <param name="Quantity">Above zero.</param>
/// <param name="Timestamp">When the usage happened.</param>
/// <param name="Meta">Canonical JSON object as <see cref="CanonicalJson"/> writes it; empty when there is none.</param>
/// <param name="Source">Where it came from.</param>
public sealed record UsageEvent(
    string Metric, string Customer, string Resource, Quantity Quantity, Instant Timestamp, string Meta, EventSource Source);
