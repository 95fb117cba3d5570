using System.Collections;
using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Defaults.Access;

/// <summary>
/// Holds a request to its caller, whatever the method: every <c>tenant_id</c> in it, however deep, must be one that the caller
/// reaches, and one that is left out is the caller's own; <c>actor</c> is whoever calls; a customer's token asks about that
/// customer only.
/// </summary>
public static class CallerFields
{
    private const string Tenant = "tenant_id";
    private const string Tenants = "tenant_ids";
    private const string Actor = "actor";
    private const string Customer = "customer_ref";
    private const string Package = "stripemeter.";
    private static readonly ConcurrentDictionary<MessageDescriptor, Plan> Plans = new();

    /// <exception cref="OtherTenantException">The request is about a tenant or customer that is not the caller's.</exception>
    public static void Hold(IMessage request, Principal caller)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(caller);
        var plan = PlanOf(request.Descriptor);
        if (plan.Actor is { } actor && caller != Principal.Development)
            actor.SetValue(request, caller.Name);
        if (caller.ReachesAll)
            return;
        if (caller.Customer.Length > 0 && plan.Customer is { } customer && (string)customer.GetValue(request) != caller.Customer)
            throw new OtherTenantException("The token is another customer's.");
        Hold(request, plan, caller, caller.OwnTenant?.Value);
    }

    /// <summary>The first tenant a request names; null if it names none.</summary>
    public static TenantId? TenantOf(IMessage request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var plan = PlanOf(request.Descriptor);
        if (plan.Tenant?.GetValue(request) is string { Length: > 0 } named)
            return TenantId.IsValid(named) ? new TenantId(named) : null;
        return plan.Parts.SelectMany(part => MessagesOf(part.GetValue(request))).Select(TenantOf).FirstOrDefault(tenant => tenant is not null);
    }

    private static void Hold(IMessage message, Plan plan, Principal caller, string? own)
    {
        if (plan.Tenant is { } field)
        {
            var named = (string)field.GetValue(message);
            if (named.Length == 0 && own is not null)
                field.SetValue(message, own);
            else if (named != own)
                Check(named, caller);
        }

        foreach (var several in plan.Tenants)
        {
            foreach (var named in (IEnumerable<string>)several.GetValue(message))
                Check(named, caller);
        }

        foreach (var part in plan.Parts)
        {
            foreach (var inner in MessagesOf(part.GetValue(message)))
                Hold(inner, PlanOf(inner.Descriptor), caller, own);
        }
    }

    private static void Check(string named, Principal caller)
    {
        // What is no tenant id at all is the endpoint's to refuse, field and reason.
        if (TenantId.IsValid(named) && !caller.Reaches(new TenantId(named)))
            throw new OtherTenantException();
    }

    private static IEnumerable<IMessage> MessagesOf(object? value) => value switch
    {
        null => [],
        IMessage message => [message],
        IDictionary map => map.Values.OfType<IMessage>(),
        IEnumerable list => list.OfType<IMessage>(),
        _ => [],
    };

    private static Plan PlanOf(MessageDescriptor type) => Plans.GetOrAdd(type, static found => new Plan(
        Single(found, Tenant), [.. found.Fields.InDeclarationOrder().Where(field => field.Name == Tenants).Select(field => field.Accessor)],
        Single(found, Actor), Single(found, Customer),
        [.. found.Fields.InDeclarationOrder().Where(HoldsMessages).Select(field => field.Accessor)]));

    private static IFieldAccessor? Single(MessageDescriptor type, string name) =>
        type.FindFieldByName(name) is { FieldType: FieldType.String, IsRepeated: false } field ? field.Accessor : null;

    private static bool HoldsMessages(FieldDescriptor field) => field.FieldType == FieldType.Message
        && (field.IsMap || field.MessageType.FullName.StartsWith(Package, StringComparison.Ordinal));

    private sealed record Plan(
        IFieldAccessor? Tenant, IReadOnlyList<IFieldAccessor> Tenants, IFieldAccessor? Actor, IFieldAccessor? Customer,
        IReadOnlyList<IFieldAccessor> Parts);
}
