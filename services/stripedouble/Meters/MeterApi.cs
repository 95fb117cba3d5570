using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.Meters;

/// <summary><c>/v1/billing/meters</c>. Only the display name and the status of a meter can change; none is ever deleted.</summary>
internal static class MeterApi
{
    public const string Path = "/v1/billing/meters";

    private const int MaximumDisplayNameCharacters = 250;

    public static IEnumerable<StripeRoute> Routes =>
    [
        new("POST", Path, Create),
        new("GET", Path, List),
        new("GET", $"{Path}/{{id}}", Get),
        new("POST", $"{Path}/{{id}}", Update),
        new("POST", $"{Path}/{{id}}/deactivate", Deactivate),
        new("POST", $"{Path}/{{id}}/reactivate", Reactivate),
    ];

    private static Operation Create(StripeCall call, SqliteSession session)
    {
        var parameters = call.Parameters;
        var mapping = parameters.Map("customer_mapping");
        mapping?.RequiredChoice("type", "by_id");
        var meter = new Meter(
            Number: 0,
            Identifiers.Create("mtr_test_", 24),
            parameters.RequiredText("event_name", MeterNames.MaximumCharacters),
            parameters.RequiredText("display_name", MaximumDisplayNameCharacters),
            parameters.RequiredMap("default_aggregation").RequiredChoice("formula", Meter.Count, Meter.Last, Meter.Sum),
            mapping?.RequiredText("event_payload_key", MeterNames.MaximumCharacters) ?? MeterNames.DefaultCustomerKey,
            parameters.Map("value_settings")?.RequiredText("event_payload_key", MeterNames.MaximumCharacters) ?? MeterNames.DefaultValueKey,
            parameters.Choice("event_time_window", TimeWindow.Day, TimeWindow.Hour),
            call.NowSeconds, call.NowSeconds, Deactivated: null);
        parameters.Expansion();
        parameters.RefuseUnknown();
        return new(writer =>
        {
            if (MeterTable.FindByEventName(writer, meter.EventName) is not null)
                throw StripeRefusal.Invalid("event_name", $"A meter with the event name {meter.EventName} already exists.");
            MeterTable.Add(writer, meter);
            return meter.ToJson();
        });
    }

    private static Operation List(StripeCall call, SqliteSession session)
    {
        var page = Page.Read(call.Parameters);
        var status = call.Parameters.Choice("status", "active", "inactive");
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader => MeterTable.List(reader, Path, page, status));
    }

    private static Operation Get(StripeCall call, SqliteSession session)
    {
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader => MeterTable.Get(reader, call.Id).ToJson());
    }

    private static Operation Update(StripeCall call, SqliteSession session)
    {
        var name = call.Parameters.Text("display_name", MaximumDisplayNameCharacters);
        return Change(call, meter => meter with { DisplayName = name ?? meter.DisplayName });
    }

    private static Operation Deactivate(StripeCall call, SqliteSession session) => Change(call, meter => meter.IsActive
        ? meter with { Deactivated = call.NowSeconds }
        : throw StripeRefusal.Invalid("id", $"The meter {meter.Id} is inactive already."));

    private static Operation Reactivate(StripeCall call, SqliteSession session) => Change(call, meter => meter.IsActive
        ? throw StripeRefusal.Invalid("id", $"The meter {meter.Id} is active already.")
        : meter with { Deactivated = null });

    private static Operation Change(StripeCall call, Func<Meter, Meter> change)
    {
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(writer =>
        {
            var meter = change(MeterTable.Get(writer, call.Id)) with { Updated = call.NowSeconds };
            MeterTable.Change(writer, meter);
            return meter.ToJson();
        });
    }
}
