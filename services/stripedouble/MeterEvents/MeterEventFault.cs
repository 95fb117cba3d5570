using System.Net;
using StripeMeter.StripeDouble.Http;

namespace StripeMeter.StripeDouble.MeterEvents;

/// <summary>What is wrong with a meter event, in the three ways in which Stripe says it.</summary>
/// <param name="Message">For people.</param>
/// <param name="Parameter">The parameter at fault, which v1 names.</param>
/// <param name="Code">The code in v1; most have none.</param>
/// <param name="V2Code">The code in v2; null where Stripe's list has none for it.</param>
/// <param name="ReportCode">The code in the report of an event that was answered before it was looked at.</param>
internal sealed record MeterEventFault(string Message, string Parameter, string? Code, string? V2Code, string ReportCode)
{
    public StripeRefusal ToRefusal() => StripeRefusal.Invalid(Parameter, Message, Code);

    public StripeRefusal ToV2Refusal() => new(HttpStatusCode.BadRequest, Message)
    {
        Code = V2Code, Parameter = V2Code is null ? Parameter : null,
    };
}
