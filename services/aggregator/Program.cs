using StripeMeter.Aggregator;
using StripeMeter.Defaults.Hosting;

return await ServiceHost.RunAsync(() => AggregatorApp.Build(args));
