using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace StripeMeter.Cli.Rest;

/// <summary>Speaks REST. Numbers in answers keep their digits: read them as text.</summary>
internal sealed class RestClient(HttpClient http, TimeProvider clock)
{
    private const string JsonType = "application/json";
    private const int MaximumAttempts = 10;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);
    private bool _wasReached;

    public static HttpClient Connect(Uri address, string? apiKey, TimeSpan timeout)
    {
        var http = new HttpClient { BaseAddress = address, Timeout = timeout };
        if (!string.IsNullOrEmpty(apiKey))
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        http.DefaultRequestHeaders.UserAgent.ParseAdd("stripemeter-cli");
        return http;
    }

    /// <exception cref="RestException">Refused, or not reached.</exception>
    public Task<JsonNode> GetAsync(string address, CancellationToken cancellation) =>
        CallAsync(HttpMethod.Get, address, () => null, cancellation);

    /// <summary>Posts JSON text. What may be sent again safely, is, while the service is away or overloaded.</summary>
    /// <exception cref="RestException">Refused, or not reached.</exception>
    public Task<JsonNode> PostAsync(string address, ReadOnlyMemory<byte> json, CancellationToken cancellation) =>
        CallAsync(HttpMethod.Post, address, () => Content(json, JsonType), cancellation);

    /// <inheritdoc cref="PostAsync(string, ReadOnlyMemory{byte}, CancellationToken)"/>
    public Task<JsonNode> PostAsync(string address, JsonNode body, CancellationToken cancellation) =>
        PostAsync(address, Encoding.UTF8.GetBytes(body.ToJsonString()), cancellation);

    /// <summary>Posts JSON and reads the lines of JSON that answer it, as they come. It is not sent again: some may have been read.</summary>
    /// <exception cref="RestException">Refused, or not reached.</exception>
    /// <exception cref="IOException">The answer broke off.</exception>
    public async IAsyncEnumerable<JsonNode> PostLinesAsync(
        string address, JsonNode body, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address.TrimStart('/'), UriKind.Relative))
        {
            Content = Content(Encoding.UTF8.GetBytes(body.ToJsonString()), JsonType),
        };
        using var response = await SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            throw RestException.OfAnswer(response.StatusCode, await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false));
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false));
        while (await reader.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
            yield return JsonNode.Parse(line)!;
    }

    /// <summary>
    /// Makes a call, and again with pauses that grow, as long as the API says or may mean "not now". An API that never
    /// answered is most likely not there, and is not waited for.
    /// </summary>
    public async Task<JsonNode> CallAsync(
        HttpMethod method, string address, Func<HttpContent?> content, CancellationToken cancellation)
    {
        var pause = FirstPause;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await CallOnceAsync(method, address, content(), cancellation).ConfigureAwait(false);
            }
            catch (RestException failure) when (IsPassing(failure.Status) && _wasReached && attempt < MaximumAttempts)
            {
                await Task.Delay(pause, clock, cancellation).ConfigureAwait(false);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    private async Task<JsonNode> CallOnceAsync(
        HttpMethod method, string address, HttpContent? content, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, new Uri(address.TrimStart('/'), UriKind.Relative)) { Content = content };
        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellation).ConfigureAwait(false);
        _wasReached = true;
        var body = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            throw RestException.OfAnswer(response.StatusCode, body);
        try
        {
            return body.Length == 0 ? new JsonObject() : JsonNode.Parse(body) ?? new JsonObject();
        }
        catch (JsonException)
        {
            throw new RestException($"{http.BaseAddress} did not answer JSON. Is it the address of StripeMeter's REST API?") { Status = HttpStatusCode.OK };
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancellation)
    {
        try
        {
            return await http.SendAsync(request, completion, cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException unreachable)
        {
            throw new RestException(
                $"Nothing answers at {http.BaseAddress} ({unreachable.Message}). Start the system, or name its address with --url.", unreachable);
        }
        catch (OperationCanceledException late) when (!cancellation.IsCancellationRequested)
        {
            throw new RestException($"{http.BaseAddress} did not answer within {http.Timeout.TotalSeconds} seconds.", late);
        }
    }

    private static ByteArrayContent Content(ReadOnlyMemory<byte> body, string type)
    {
        var content = new ByteArrayContent(body.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return content;
    }

    private static bool IsPassing(HttpStatusCode? status) => status is null or HttpStatusCode.TooManyRequests
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;
}
