namespace StripeMeter.Defaults.Hosting;

/// <summary>
/// How large messages may be that are delivered in bulk. daprd gathers by number and time, never by size, and what a service
/// refuses for its size it would deliver for ever; so the largest number of the largest messages has to fit into one request.
/// </summary>
public static class BulkDelivery
{
    /// <summary>Messages of one delivery.</summary>
    public const int Messages = 100;

    /// <summary>Bytes of one message. In JSON they are base64, with an envelope around them: a tenth is left for that.</summary>
    public const int MessageBytes = ServiceHost.MaximumBodyBytes / Messages * 3 / 4 * 9 / 10;
}
