using StripeMeter.Gateway.Errors;

namespace StripeMeter.Gateway.Requests;

/// <summary>Reads the parameters of a query and collects what is wrong with them.</summary>
internal sealed class QueryReader(HttpContext context)
{
    private readonly List<ProblemError> _errors = [];

    public T? Read<T>(QueryParameter<T> parameter)
    {
        var values = context.Request.Query[parameter.Name];
        if (values.Count > 1)
            return Wrong(parameter, "is there twice");
        var text = values.ToString();
        if (text.Length == 0)
            text = parameter.WhenAbsent?.Invoke() ?? "";
        if (text.Length == 0)
            return parameter.Required ? Wrong(parameter, "is required") : parameter.Default;
        return parameter.Read(text, out var value) is { } reason ? Wrong(parameter, reason) : value;
    }

    /// <summary>Text that a request must name.</summary>
    public string Text(TextParameter parameter) => Read(parameter) ?? "";

    public void Add(string field, string reason) => _errors.Add(new ProblemError(field, reason));

    /// <exception cref="ProblemException">Something was wrong.</exception>
    public void Check()
    {
        if (_errors.Count > 0)
            throw new ProblemException(Problem.Invalid(_errors));
    }

    private T? Wrong<T>(QueryParameter<T> parameter, string reason)
    {
        Add(parameter.Name, reason);
        return default;
    }
}
