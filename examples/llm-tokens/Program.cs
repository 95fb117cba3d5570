using System.CommandLine;
using System.Globalization;
using StripeMeter.Examples.LlmTokens;

var file = new Argument<FileInfo>("FILE") { Description = "CSV with the columns TIMESTAMP, ContextTokens, GeneratedTokens." };
file.AcceptExistingOnly();
var end = new Option<DateTime?>("--end")
{
    Description = "Shifts the rows so that the last one is at this time (RFC 3339). Default: now. A fixed end gives the same keys again.",
    CustomParser = result => DateTime.TryParse(
        result.Tokens[0].Value, CultureInfo.InvariantCulture,
        DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
        ? time
        : Refuse(result),
};
var gateway = Address("--url", "Address of StripeMeter.", "http://localhost:3000");
var stripe = Address("--stripe", "Address of the Stripe double; not used when STRIPE_SECRET_KEY is set.", "http://localhost:12111");
var tenant = new Option<string>("--tenant") { Description = "Tenant that the events belong to.", DefaultValueFactory = _ => "acme" };
var batch = new Option<int>("--batch") { Description = "Events of a request, 1 to 1000.", DefaultValueFactory = _ => 500 };
var senders = new Option<int>("--senders") { Description = "Senders at once, 1 to 64.", DefaultValueFactory = _ => 1 };
var shuffle = new Option<int?>("--shuffle") { Description = "Sends in a random order with this seed." };
var patience = new Option<int>("--wait-seconds") { Description = "How long to wait until all is counted and pushed.", DefaultValueFactory = _ => 120 };
batch.Validators.Add(result => Bound(result, 1, 1_000));
senders.Validators.Add(result => Bound(result, 1, 64));
patience.Validators.Add(result => Bound(result, 0, 86_400));

var command = new RootCommand("Sends a trace of LLM requests as usage events, and shows what was counted and what Stripe was told.")
{
    file, end, gateway, stripe, tenant, batch, senders, shuffle, patience,
};
command.SetAction(async (line, cancellation) =>
{
    var key = Environment.GetEnvironmentVariable("STRIPE_SECRET_KEY");
    var settings = new Settings(
        line.GetRequiredValue(file).FullName,
        line.GetValue(end) ?? TimeProvider.System.GetUtcNow().UtcDateTime,
        line.GetRequiredValue(gateway),
        string.IsNullOrEmpty(key) ? line.GetRequiredValue(stripe) : null,
        string.IsNullOrEmpty(key) ? "sk_test_double" : key,
        line.GetRequiredValue(tenant), line.GetRequiredValue(batch), line.GetRequiredValue(senders), line.GetValue(shuffle),
        TimeSpan.FromSeconds(line.GetRequiredValue(patience)));
    return await new Demonstration(settings, TimeProvider.System).RunAsync(cancellation);
});
return await command.Parse(args).InvokeAsync();

static Option<Uri> Address(string name, string description, string otherwise) => new(name)
{
    Description = description,
    DefaultValueFactory = _ => new Uri(otherwise),
    CustomParser = result =>
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var address))
            return address;
        result.AddError($"'{result.Tokens[0].Value}' is not an address such as {otherwise}.");
        return null;
    },
};

static DateTime? Refuse(System.CommandLine.Parsing.ArgumentResult result)
{
    result.AddError($"'{result.Tokens[0].Value}' is not a time such as 2026-01-31T12:00:00Z.");
    return null;
}

static void Bound(System.CommandLine.Parsing.OptionResult result, int minimum, int maximum)
{
    if (result.GetValueOrDefault<int>() is var value && (value < minimum || value > maximum))
        result.AddError($"{result.Option.Name} must be {minimum} to {maximum}, not {value}.");
}
