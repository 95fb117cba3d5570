namespace StripeMeter.StripeDouble.Notices;

/// <summary>Where events are delivered, and by which secret they are signed.</summary>
/// <param name="Url">The address.</param>
/// <param name="Secret"><c>whsec_…</c></param>
internal sealed record WebhookTarget(Uri Url, string Secret);

/// <summary>The target as it is set now; null while there is none. Safe for concurrent use.</summary>
internal sealed class WebhookSetting
{
    private volatile WebhookTarget? _target;

    public WebhookTarget? Target
    {
        get => _target;
        set => _target = value;
    }
}
