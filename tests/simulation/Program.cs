using System.CommandLine;
using StripeMeter.Simulation.Counting;
using StripeMeter.Simulation.Running;
using StripeMeter.Simulation.Stripe;

IScenario[] scenarios = [new CountingScenario(), new StripeScenario()];

var name = new Option<string>("--scenario") { Description = "What to simulate.", DefaultValueFactory = _ => scenarios[0].Name };
name.AcceptOnlyFromAmong([.. scenarios.Select(scenario => scenario.Name)]);
var count = new Option<int>("--seeds") { Description = "How many seeds to run.", DefaultValueFactory = _ => 1_000 };
var first = new Option<int>("--first") { Description = "The first seed.", DefaultValueFactory = _ => 1 };
var single = new Option<int?>("--seed") { Description = "Run this seed alone." };
var workers = new Option<int>("--workers")
{
    Description = "Seeds run at a time.", DefaultValueFactory = _ => Environment.ProcessorCount,
};

var command = new RootCommand("Runs the protocols from seeds, with faults between their steps, and checks the books.")
{
    name, count, first, single, workers,
};
command.SetAction(arguments =>
{
    var scenario = scenarios.Single(candidate => candidate.Name == arguments.GetValue(name));
    var run = new SeedRun(scenario);
    var started = TimeProvider.System.GetTimestamp();
    if (arguments.GetValue(single) is { } seed)
        run.Run(seed, 1, workers: 1);
    else
        run.Run(arguments.GetValue(first), arguments.GetValue(count), arguments.GetValue(workers));
    return Report.Write(Console.Out, scenario, run, TimeProvider.System.GetElapsedTime(started)) ? 0 : 1;
});
return command.Parse(args).Invoke();
