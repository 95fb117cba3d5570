using StripeMeter.Defaults.Hosting;
using StripeMeter.Ingest;

return await ServiceHost.RunAsync(() => IngestApp.Build(args));
