using System.Buffers;
using System.Net;
using System.Text;

namespace StripeMeter.StripeDouble.Http;

/// <summary>Reads a request into a call: query string first, then the body, form-encoded in v1 and JSON in v2.</summary>
internal sealed class CallReader(StripeDoubleOptions options)
{
    private const int MaximumKeyCharacters = 255;
    private const string FormContentType = "application/x-www-form-urlencoded";

    /// <exception cref="StripeRefusal">It is no form, too large, or has an idempotency key that is too long.</exception>
    public async Task<StripeCall> ReadAsync(HttpContext context)
    {
        var request = context.Request;
        var query = request.QueryString.Value is { Length: > 1 } text ? Encoding.UTF8.GetBytes(text[1..]) : [];
        var pairs = FormText.Read(query, options.MaximumParameters);
        pairs.AddRange(await ReadBodyAsync(request, context.RequestAborted).ConfigureAwait(false));
        var key = request.Method == HttpMethods.Post ? request.Headers["Idempotency-Key"].ToString() : "";
        if (key.Length > MaximumKeyCharacters)
        {
            throw new StripeRefusal(HttpStatusCode.BadRequest, $"Idempotency-Key can have at most {MaximumKeyCharacters} characters.")
            {
                Type = "idempotency_error",
            };
        }

        return new StripeCall
        {
            Method = request.Method,
            Path = request.Path.Value ?? "/",
            Pairs = pairs,
            Parameters = Parameters.From(pairs),
            IdempotencyKey = key.Length > 0 ? key : null,
            Token = ApiKey.Read(request.Headers) ?? "",
            ApiVersion = request.Headers["Stripe-Version"].ToString(),
            Now = options.TimeProvider.GetUtcNow(),
        };
    }

    private async Task<List<KeyValuePair<string, string>>> ReadBodyAsync(HttpRequest request, CancellationToken cancellation)
    {
        try
        {
            var read = await request.BodyReader.ReadAtLeastAsync(options.MaximumRequestBytes + 1, cancellation).ConfigureAwait(false);
            var body = read.Buffer.ToArray();
            request.BodyReader.AdvanceTo(read.Buffer.End);
            if (body.Length == 0)
                return [];
            if (request.Path.StartsWithSegments("/v2"))
                return JsonPairs.Read(body, options.MaximumParameters);
            if (request.ContentType?.StartsWith(FormContentType, StringComparison.OrdinalIgnoreCase) != true)
                throw new StripeRefusal(HttpStatusCode.BadRequest, $"The body of a v1 request must be {FormContentType}.");
            return FormText.Read(body, options.MaximumParameters);
        }
        catch (BadHttpRequestException problem)
        {
            // Kestrel counts the bytes.
            throw new StripeRefusal((HttpStatusCode)problem.StatusCode, $"The request cannot be read: {problem.Message}");
        }
    }
}
