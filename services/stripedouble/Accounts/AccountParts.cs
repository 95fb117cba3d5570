using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Credits;
using StripeMeter.StripeDouble.Customers;
using StripeMeter.StripeDouble.EventSummaries;
using StripeMeter.StripeDouble.Faults;
using StripeMeter.StripeDouble.Invoices;
using StripeMeter.StripeDouble.MeterEvents;
using StripeMeter.StripeDouble.MeterEventStreams;
using StripeMeter.StripeDouble.Meters;
using StripeMeter.StripeDouble.Notices;
using StripeMeter.StripeDouble.Prices;
using StripeMeter.StripeDouble.Products;
using StripeMeter.StripeDouble.Storage;
using StripeMeter.StripeDouble.Subscriptions;
using StripeMeter.StripeDouble.UsageRecords;

namespace StripeMeter.StripeDouble.Accounts;

/// <summary>Puts an account together: what it answers, and what happens to it as time goes by.</summary>
internal static class AccountParts
{
    public static AccountData Assemble(
        StripeDoubleOptions options, Account account, SqliteFile file, bool isOwn, StripeDoubleFaults faults, WebhookSetting webhook)
    {
        var objects = new BillingObjects();
        var board = new NoticeBoard(isOwn ? null : account.Id, webhook);
        var billing = new BillingRun(options, objects, board);
        var intake = new MeterEventIntake(options, objects.Customers);
        var adjustments = new MeterEventAdjustmentApi(options);
        return new AccountData(
            account,
            file,
            [
                new MeterEventApi(intake).Route,
                new EventSummaryApi(options, objects.Customers, faults).Route,
                adjustments.Route,
                .. new MeterEventV2Api(intake, adjustments).Routes,
                .. new MeterEventStreamApi(options, intake).Routes,
                .. MeterApi.Routes,
                .. new CustomerApi(objects.Customers).Routes,
                .. new CreditApi(new ObjectStore(CreditApi.Kind)).Routes,
                .. new ProductApi(objects.Products).Routes,
                .. new PriceApi(objects, board).Routes,
                .. new SubscriptionApi(options, objects, billing, board).Routes,
                .. new UsageRecordApi(objects).Routes,
                .. new InvoiceApi(objects, billing).Routes,
                .. NoticeApi.Routes,
                .. new AccountApi(account, options).Routes,
            ],
            [new RejectionReports(board, options), billing]);
    }
}
