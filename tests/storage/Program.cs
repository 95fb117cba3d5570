using StripeMeter.Storage.Tests;
using StripeMeter.Storage.Tests.Sqlite;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

// Some tests start this program again as a process of its own, which they may kill.
if (args is [LedgerWriter.Command, .. var arguments])
    return await LedgerWriter.RunAsync(arguments);

// The rest is what xunit would have generated.
return args.Any(argument => argument is "--server" or "--internal-msbuild-node")
    ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await ConsoleRunner.Run(args);
