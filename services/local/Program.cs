using System.Runtime.InteropServices;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Local;

if (args is ["--help" or "-h", ..])
{
    Console.WriteLine(CommandLine.Help);
    return 0;
}

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    var configuration = CommandLine.Read(args);
    var options = SettingsReader.Read<LocalOptions>(configuration);
    var settings = configuration.AsEnumerable().ToDictionary(setting => setting.Key, setting => setting.Value);
    await using var system = await LocalSystem.StartAsync(options, settings, stop.Token);
    Announce(system);
    var stopped = new TaskCompletionSource();
    await using (stop.Token.Register(stopped.SetResult))
        await stopped.Task;
    Console.WriteLine("Stopping.");
    return 0;
}
catch (InvalidSettingException problem)
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}
catch (IOException problem)
{
    // Kestrel says which address is taken.
    Console.Error.WriteLine($"{problem.Message} Choose another port (--port, --INGEST_PORT, --PUBLISHER_HTTP_PORT, --PUBLISHER_GRPC_PORT, --STRIPE_DOUBLE_PORT) or end what uses it.");
    return 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 0;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

static void Announce(LocalSystem system) => Console.WriteLine($"""
    StripeMeter is ready.
      REST     {system.Rest}   documentation at {system.Rest}docs
      gRPC     {system.Ingest}
      Dapr     {system.Publisher.HttpEndpoint} and {system.Publisher.GrpcEndpoint}: a sidecar that publishes to usage.events
      Stripe   {system.Stripe}   {(system.Options.StartsDouble ? "(a double: STRIPE_SECRET_KEY is not set, nothing leaves this machine)" : "")}
      data     {system.DataDirectory}
      keys     {(system.Options.BypassesAuthentication
          ? "none: without API_KEY_SALT whoever reaches these ports may do everything (BYPASS_AUTH)"
          : "needed: stripemeter keys create makes one")}
    Ctrl-C stops it; the data stays.
    """);
