using StripeMeter.Cli.Commands;

return await StripeMeterCommand.RunAsync(args, CliHost.OfThisProcess()).ConfigureAwait(false);
