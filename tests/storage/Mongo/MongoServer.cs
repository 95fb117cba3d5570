using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;

namespace StripeMeter.Storage.Tests.Mongo;

/// <summary>
/// The server the tests of a class use: the one <c>STRIPEMETER_TEST_MONGO</c> names (a replica set), or a double that speaks
/// the wire and has MongoDB's semantics in memory.
/// </summary>
public sealed class MongoServer : IAsyncLifetime
{
    public const string Variable = "STRIPEMETER_TEST_MONGO";

    // The packages are those of Debian's own Python; another one may come first in the path.
    private const string Python = "/usr/bin/python3";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private Process? _double;
    private MongoClient? _client;

    /// <summary>Why there is no server; null if there is one.</summary>
    public string? Missing { get; private set; }

    public bool IsReal { get; private set; }

    public string Url { get; private set; } = "";

    /// <summary>Skips the test if there is no server.</summary>
    public void Require()
    {
        if (Missing is not null)
            Assert.Skip(Missing);
    }

    /// <summary>Skips the test if there is no double: only it loses answers on demand.</summary>
    public void RequireDouble()
    {
        Require();
        if (IsReal)
            Assert.Skip($"Only the double loses answers on demand; {Variable} names a real server.");
    }

    /// <summary>Has the next commands of a kind fail, in MongoDB's own terms.</summary>
    public Task FailNextAsync(string command, BsonDocument failure, int times = 1) => CommandAsync(new BsonDocument
    {
        { "configureFailPoint", "failCommand" }, { "mode", new BsonDocument("times", times) },
        { "data", new BsonDocument("failCommands", new BsonArray { command }).AddRange(failure) },
    });

    /// <summary>Skips the test if only a double is there.</summary>
    public void RequireReal(string point)
    {
        if (!IsReal)
            Assert.Skip($"Only a real replica set shows this ({point}): name one in {Variable}. Used here: {Missing ?? "the wire double"}.");
    }

    public Task<BsonDocument> CommandAsync(BsonDocument command, string database = "admin") =>
        _client!.GetDatabase(database).RunCommandAsync<BsonDocument>(command);

    public async ValueTask InitializeAsync()
    {
        var url = Environment.GetEnvironmentVariable(Variable);
        IsReal = !string.IsNullOrEmpty(url);
        Url = IsReal ? url! : await StartDoubleAsync();
        if (Missing is null)
            _client = new MongoClient(Url);
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_double is null)
            return;
        _double.StandardInput.Close();
        _double.Kill();
        await _double.WaitForExitAsync();
        _double.Dispose();
    }

    private async Task<string> StartDoubleAsync()
    {
        var start = new ProcessStartInfo(Python, [Path.Combine(AppContext.BaseDirectory, "mongo_double.py")])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        try
        {
            _double = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            Missing = $"There is no {Python} to run the double of MongoDB with, and {Variable} names no server.";
            return "";
        }

        using var limit = new CancellationTokenSource(StartLimit);
        var line = await _double.StandardOutput.ReadLineAsync(limit.Token);
        if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            return $"mongodb://localhost:{port}/?directConnection=true&retryWrites=false";
        var problem = await _double.StandardError.ReadToEndAsync(limit.Token);
        Assert.Contains("ModuleNotFoundError", problem, StringComparison.Ordinal);
        Missing = $"The double of MongoDB needs the Debian packages python3-mockupdb and python3-mongomock, and {Variable} names no server.";
        return "";
    }
}
