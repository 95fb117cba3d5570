using StripeMeter.Defaults.Hosting;
using StripeMeter.Pusher;

return await ServiceHost.RunAsync(() => PusherApp.Build(args));
