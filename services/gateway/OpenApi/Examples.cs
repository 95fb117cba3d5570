using System.Collections.Frozen;
using StripeMeter.Gateway.Adjustments;
using StripeMeter.Gateway.Backfilling;
using StripeMeter.Gateway.DeadLetters;
using StripeMeter.Gateway.Events;
using StripeMeter.Gateway.Mappings;
using StripeMeter.Gateway.Reconciliation;
using StripeMeter.Gateway.Replay;
using StripeMeter.Gateway.Simulations;
using StripeMeter.Gateway.Usage;
using StripeMeter.Gateway.Webhooks;

namespace StripeMeter.Gateway.OpenApi;

/// <summary>An example of each body that is sent, and of the answers that people read first. A test sends and reads them.</summary>
public static class Examples
{
    private static readonly FrozenDictionary<Type, string> ByType = new Dictionary<Type, string>
    {
        [typeof(IngestBody)] =
            """
            {"events":[{"tenantId":"acme","metric":"api_calls","customerRef":"cus_01","quantity":12.5,
              "ts":"2026-01-16T14:30:00.123Z","resourceId":"project-7","meta":{"region":"eu"},
              "idempotencyKey":"call-0001","source":"http"}]}
            """,
        [typeof(UsageCloudEvent)] =
            """
            {"specversion":"1.0","id":"call-0001","source":"/eu/api","type":"api_calls","subject":"cus_01",
             "time":"2026-01-16T14:30:00.123Z","tenantid":"acme","data":{"quantity":12.5}}
            """,
        [typeof(IngestResponse)] =
            """
            {"accepted":1,"duplicates":0,"conflicts":0,"requestId":"req-1",
             "results":[{"index":0,"idempotencyKey":"call-0001","status":"accepted"}]}
            """,
        [typeof(MappingRequest)] =
            """
            {"tenantId":"acme","metric":"api_calls","aggregation":"sum","stripeAccount":"default","priceId":"price_123",
             "currency":"usd","active":true,"customers":{"prefix":"","table":{"cus_01":"cus_Q1w2E3"},"tableOnly":false}}
            """,
        [typeof(StripeEventBody)] =
            """
            {"id":"evt_1","type":"invoice.created"}
            """,
        [typeof(AdjustmentRequest)] =
            """
            {"tenantId":"acme","metric":"api_calls","customerRef":"cus_01","periodStart":"2026-01-01","delta":-12.5,
             "reason":"credit","requestId":"ticket-4711","note":"an outage"}
            """,
        [typeof(AdjustmentStep)] =
            """
            {"tenantId":"acme"}
            """,
        [typeof(ReplayBody)] =
            """
            {"tenantId":"acme","metrics":["api_calls"],"since":"2026-01-01T00:00:00Z","until":"now","mode":"dry-run"}
            """,
        [typeof(RebuildBody)] =
            """
            {"tenantId":"acme","customerRef":"cus_01","rebuildId":"after-incident-7"}
            """,
        [typeof(RedriveBody)] =
            """
            {"tenantId":"acme","ids":["0639041556000000000-5f0c6a1b2d3e4f50"]}
            """,
        [typeof(BackfillBody)] =
            """
            {"tenantId":"acme","metric":"api_calls","periodStart":"2026-01-01","periodEnd":"2026-01-31","reason":"outage of the exporter",
             "csvData":"customerRef,quantity,ts,idempotencyKey\ncus_01,12.5,2026-01-16T14:30:00Z,call-0001\n","dryRun":true}
            """,
        [typeof(SessionBody)] =
            """
            {"tenantId":"acme","metrics":["api_calls"],"periodStart":"2026-01-01","periodEnd":"2026-01-31","reason":"outage of the exporter"}
            """,
        [typeof(BackfillStep)] =
            """
            {"tenantId":"acme"}
            """,
        [typeof(ReconciliationRequest)] =
            """
            {"tenantId":"acme","full":false}
            """,
        [typeof(ApplyRequest)] =
            """
            {"tenantId":"acme","adjustmentIds":["recon_MS8wMTc2"],"reason":"a script wrote to the meter"}
            """,
        [typeof(ProjectionRequest)] =
            """
            {"tenantId":"acme","customerRef":"cus_01","periodStart":"2026-01-01","periodEnd":"2026-01-31","forecast":true}
            """,
        [typeof(CurrentUsage)] =
            """
            {"customerRef":"cus_01",
             "period":{"start":"2026-01-01","end":"2026-01-31","startTime":"2026-01-01T00:00:00Z","endTime":"2026-02-01T00:00:00Z"},
             "metrics":[{"name":"api_calls","current":0.3,"aggregation":"sum","unit":"api_calls","sum":0.3,"count":2,
               "min":0.1,"max":0.2,"last":0.2,"watermark":"2026-01-16T14:30:00.123Z","limit":0.4}],
             "alerts":[{"type":"limit_near","message":"0.3 of 0.4 api_calls are used (api_calls).","severity":"warn"}]}
            """,
        [typeof(Projection)] =
            """
            {"customerRef":"cus_01","periodStart":"2026-01-01","periodEnd":"2026-01-31",
             "lineItems":[{"metric":"api_calls","priceId":"price_123","quantity":1234.5,"unitPrice":0.002,"total":2.47}],
             "subtotal":2.47,"credits":0,"total":2.47,"currency":"USD",
             "freshness":{"lastUpdate":"2026-01-16T14:30:00.123Z","staleness":4,"countedAt":"2026-01-16T14:30:03Z"}}
            """,
        [typeof(InvoiceRequest)] =
            """
            {"tenantId":"acme",
             "inputs":{"customerId":"cus_01","periodStart":"2026-01-01","periodEnd":"2026-01-31",
               "usageItems":[{"metric":"api_calls","quantity":1031,
                 "price":{"currency":"usd","billing_scheme":"tiered","tiers_mode":"graduated",
                   "tiers":[{"up_to":1000,"unit_amount":0,"flat_amount":900},{"up_to":"inf","unit_amount_decimal":"3.6"}]}}],
               "taxRate":20}}
            """,
        [typeof(ScenarioRequest)] =
            """
            {"tenantId":"acme","name":"a call costs 5 cents","tags":["calls"],
             "inputs":{"customerId":"cus_01","periodStart":"2026-01-01","periodEnd":"2026-01-31",
               "usageItems":[{"metric":"api_calls","quantity":3,"price":{"currency":"usd","unit_amount":5}}]},
             "expected":{"total":15}}
            """,
        [typeof(CompareRequest)] =
            """
            {"tenantId":"acme","at":"2026-01-15",
             "before":{"prices":{"api_calls":{"currency":"usd","unit_amount":5}}},
             "after":{"prices":{"api_calls":{"currency":"usd","unit_amount":4,"minimum":1000}}}}
            """,
        [typeof(RunRequest)] =
            """
            {"tenantId":"acme","scenarioId":"0198a5b2-7c3d-7e4f-8a1b-2c3d4e5f6a7b","runType":"ci","metadata":{"commit":"4f2a91c"}}
            """,
    }.ToFrozenDictionary();

    public static IEnumerable<Type> Types => ByType.Keys;

    /// <summary>JSON of the type, if there is an example.</summary>
    public static string? Of(Type type) => ByType.GetValueOrDefault(type);
}
