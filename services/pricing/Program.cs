using StripeMeter.Defaults.Hosting;
using StripeMeter.Pricing;

return await ServiceHost.RunAsync(() => PricingApp.Build(args));
