using System.Net;

namespace StripeMeter.LocalDapr.Transport;

/// <summary>What the app answered, whole.</summary>
internal sealed class AppResponse(HttpResponseMessage response, PooledBody body) : IDisposable
{
    public int StatusCode => (int)response.StatusCode;

    public bool IsSuccess => response.IsSuccessStatusCode;

    public bool IsNotFound => response.StatusCode == HttpStatusCode.NotFound;

    public ReadOnlyMemory<byte> Body => body.Memory;

    public bool HasHeader(string name) => response.Headers.Contains(name);

    public bool HasHeader(string name, string value) =>
        response.Headers.TryGetValues(name, out var values) && values.Contains(value, StringComparer.OrdinalIgnoreCase);

    /// <summary>Hands the answer on to whoever asked the sidecar.</summary>
    public Task WriteToAsync(HttpResponse target, CancellationToken cancellation)
    {
        target.StatusCode = StatusCode;
        ForwardedHeaders.Copy(response, target);
        target.ContentLength = body.Memory.Length;
        return body.Memory.IsEmpty ? Task.CompletedTask : target.Body.WriteAsync(body.Memory, cancellation).AsTask();
    }

    public void Dispose()
    {
        body.Dispose();
        response.Dispose();
    }
}
