using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace StripeMeter.Sandbox;

/// <summary>The REST API of the system under test.</summary>
internal sealed class SandboxRest(Uri address) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = address };

    public async Task<JsonNode> PostAsync(string path, object body, CancellationToken cancellation)
    {
        using var answer = await _http.PostAsJsonAsync(path, body, cancellation);
        return await ReadAsync(path, answer, cancellation);
    }

    public async Task<JsonNode> GetAsync(string path, CancellationToken cancellation)
    {
        using var answer = await _http.GetAsync(new Uri(path, UriKind.Relative), cancellation);
        return await ReadAsync(path, answer, cancellation);
    }

    /// <summary>Reads again and again until the answer is as wished.</summary>
    public async Task<JsonNode> UntilAsync(string path, Func<JsonNode, bool> isAsWished, TimeSpan patience, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var answer = await GetAsync(path, cancellation);
            if (isAsWished(answer))
                return answer;
            if (TimeProvider.System.GetElapsedTime(began) > patience)
                throw new ScenarioFailedException($"{path} stays {answer.ToJsonString()}.");
            await timer.WaitForNextTickAsync(cancellation);
        }
    }

    public void Dispose() => _http.Dispose();

    private static async Task<JsonNode> ReadAsync(string path, HttpResponseMessage answer, CancellationToken cancellation)
    {
        var text = await answer.Content.ReadAsStringAsync(cancellation);
        return answer.IsSuccessStatusCode ? JsonNode.Parse(text)! : throw new ScenarioFailedException($"{path} answered {(int)answer.StatusCode}: {text}");
    }
}
