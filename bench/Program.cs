using System.CommandLine;
using StripeMeter.Bench;

var clock = TimeProvider.System;
var scale = new Option<int>("--scale") { Description = "Events of each load, in percent of the full ones.", DefaultValueFactory = _ => 100 };
var soak = new Option<long>("--soak") { Description = "Events of the memory run; 0 leaves it out.", DefaultValueFactory = _ => 5_000_000 };
var only = new Option<string?>("--only") { Description = "Measures this part alone." };
only.AcceptOnlyFromAmong(Benchmark.Parts);
var output = new Option<FileInfo?>("--out") { Description = "Also writes the report to this file." };
var command = new RootCommand("Drives the system from this process, embedded and in separate processes, and prints what it does, beside the raw engine's limit.") { scale, soak, only, output };
command.SetAction(async line =>
{
    var report = await new Benchmark(clock).RunAsync(line.GetValue(scale), line.GetValue(soak), line.GetValue(only), string.Join(' ', args));
    Console.WriteLine(report);
    if (line.GetValue(output) is { } file)
        await File.WriteAllTextAsync(file.FullName, report);
    return 0;
});
return await command.Parse(args).InvokeAsync();
