using System.Text.Json;

namespace StripeMeter.Gateway.Simulations;

/// <summary>Price lists to be compared over recorded usage.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="After">The price list to be tried: <c>prices</c> by metric, as scenarios write them, and <c>taxRate</c>.</param>
/// <param name="Before">The price list beside it. Default: the Stripe prices of the active mappings.</param>
/// <param name="At">A day or moment of the billing periods whose usage is looked at. Default: now.</param>
/// <param name="Usage">Usage to be looked at in the place of the tenant's counters; at most 10,000 customers.</param>
/// <param name="SummaryOnly">Leaves the customers out.</param>
public sealed record CompareRequest(
    string TenantId, JsonElement After, JsonElement? Before, string? At, IReadOnlyList<RecordedUsageBody>? Usage, bool? SummaryOnly);

/// <summary>What a customer used.</summary>
/// <param name="Customer">The customer.</param>
/// <param name="Usage">Quantities by metric, as numbers or as strings.</param>
public sealed record RecordedUsageBody(string Customer, JsonElement Usage);

/// <summary>A line of a comparison: the first says what is compared, the last sums up, and between stands a customer each.</summary>
/// <param name="Start">What is compared.</param>
/// <param name="Change">A customer.</param>
/// <param name="Summary">All of them.</param>
public sealed record ComparisonLine(ComparisonStartAnswer? Start = null, ChangeAnswer? Change = null, SummaryAnswer? Summary = null);

/// <summary>What is compared.</summary>
/// <param name="Currency">Of all amounts, which are minor units.</param>
/// <param name="Metrics">What has a price in one of the lists. Others cost nothing.</param>
public sealed record ComparisonStartAnswer(string Currency, IReadOnlyList<string> Metrics);

/// <summary>What a customer pays by either price list, in minor units.</summary>
/// <param name="Customer">The customer.</param>
/// <param name="Before">By the one.</param>
/// <param name="After">By the other.</param>
/// <param name="Difference">After less before.</param>
public sealed record ChangeAnswer(string Customer, long Before, long After, long Difference);

/// <summary>All customers of a comparison.</summary>
/// <param name="Customers">How many.</param>
/// <param name="Before">What they pay by the one list, in minor units.</param>
/// <param name="After">By the other.</param>
/// <param name="Winners">Who pays less.</param>
/// <param name="Losers">Who pays more.</param>
/// <param name="Unchanged">Who pays the same.</param>
/// <param name="NewlyCharged">Who paid nothing and pays now; in no class of the distribution.</param>
/// <param name="Distribution">Customers by their change, from the greatest fall to the greatest rise.</param>
/// <param name="TopWinners">At most 10, the greatest first.</param>
/// <param name="TopLosers">At most 10, the greatest first.</param>
public sealed record SummaryAnswer(
    long Customers, long Before, long After, long Winners, long Losers, long Unchanged, long NewlyCharged, IReadOnlyList<ClassAnswer> Distribution,
    IReadOnlyList<ChangeAnswer> TopWinners, IReadOnlyList<ChangeAnswer> TopLosers);

/// <summary>A class of the distribution.</summary>
/// <param name="UpToPercent">Changes up to this, and above the class before. Absent in the last: all that are greater.</param>
/// <param name="Customers">How many.</param>
public sealed record ClassAnswer(int? UpToPercent, long Customers);
