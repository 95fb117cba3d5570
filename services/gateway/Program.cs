using StripeMeter.Defaults.Hosting;
using StripeMeter.Gateway;

return await ServiceHost.RunAsync(() => GatewayApp.Build(args));
