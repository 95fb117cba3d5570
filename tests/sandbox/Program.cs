using StripeMeter.Sandbox;

const string KeyVariable = "STRIPE_TEST_SECRET_KEY";
const string AddressVariable = "STRIPE_API_BASE";

if (Environment.GetEnvironmentVariable(KeyVariable) is not { Length: > 0 } key)
{
    Console.WriteLine($"Skipped: {KeyVariable} is not set, so there is no sandbox of Stripe to run the scenario on.");
    return 0;
}

if (!key.StartsWith("sk_test_", StringComparison.Ordinal) && !key.StartsWith("rk_test_", StringComparison.Ordinal))
{
    Console.Error.WriteLine($"{KeyVariable} must be a test key, sk_test_… or rk_test_…: the scenario writes to the account.");
    return 2;
}

var address = new Uri(Environment.GetEnvironmentVariable(AddressVariable) is { Length: > 0 } given ? given : "https://api.stripe.com");
try
{
    await new SandboxScenario(key, address, Console.Out).RunAsync(CancellationToken.None);
    return 0;
}
catch (ScenarioFailedException failure)
{
    Console.Error.WriteLine(failure.Message);
    return 1;
}
