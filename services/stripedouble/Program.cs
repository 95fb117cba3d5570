using System.Runtime.InteropServices;
using StripeMeter.StripeDouble;

if (args is ["--help" or "-h", ..])
{
    Console.WriteLine(CommandLine.Help);
    return 0;
}

var stopped = new TaskCompletionSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    using var loggers = LoggerFactory.Create(static logging =>
        logging.AddSimpleConsole(static console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning));
    var options = CommandLine.Read(args) with { LoggerFactory = loggers };
    await using var host = await StripeDoubleHost.StartAsync(options);
    Console.WriteLine(
        $"Stripe double of account {host.AccountId} at {host.BaseAddress} with its data in {Path.GetFullPath(options.DataFile)}. "
        + "Ctrl-C stops it; the data stays.");
    await stopped.Task;
    return 0;
}
catch (Exception problem) when (problem is ArgumentException or IOException or InvalidDataException)
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stopped.TrySetResult();
}
