using StripeMeter.LocalDapr.Commands;

return await SidecarCommand.RunAsync(args).ConfigureAwait(false);
