using Grpc.Core;
using StripeMeter.Defaults.Errors;
using StripeMeter.Gateway.Errors;
using Xunit;
using FieldError = StripeMeter.Metering.Events.FieldError;

namespace StripeMeter.Gateway.Tests.Errors;

public sealed class RpcProblemsTests
{
    [Theory]
    [InlineData(StatusCode.InvalidArgument, 400)]
    [InlineData(StatusCode.OutOfRange, 400)]
    [InlineData(StatusCode.NotFound, 404)]
    [InlineData(StatusCode.AlreadyExists, 409)]
    [InlineData(StatusCode.FailedPrecondition, 422)]
    [InlineData(StatusCode.Unavailable, 503)]
    [InlineData(StatusCode.ResourceExhausted, 503)]
    [InlineData(StatusCode.DeadlineExceeded, 503)]
    [InlineData(StatusCode.Cancelled, 503)]
    [InlineData(StatusCode.Aborted, 503)]
    [InlineData(StatusCode.Internal, 502)]
    [InlineData(StatusCode.Unknown, 502)]
    [InlineData(StatusCode.Unimplemented, 502)]
    public void ToProblem_OfAStatus_IsItsHttpStatus(StatusCode code, int status)
    {
        var problem = new RpcException(new Status(code, "why")).ToProblem();

        Assert.Equal(status, problem.Status);
        Assert.Equal(status == 503, problem.RetryAfter is not null);
        Assert.NotEmpty(problem.Detail);
    }

    [Fact]
    public void ToProblem_Violations_KeepTheirOrderInTheSpellingOfRest()
    {
        var error = RpcErrors.Invalid(
            new FieldError("events[12].customer_ref", "is required"), new FieldError("mapping.customer_rule.table", "is too long"));

        Assert.Equal(
            [new ProblemError("customerRef", "is required", 12), new ProblemError("customers.table", "is too long")],
            error.ToProblem().Errors);
    }

    [Fact]
    public void ToProblem_RetryInfo_SaysWhenToTryAgain() =>
        Assert.Equal(TimeSpan.FromSeconds(7), RpcErrors.Unavailable("busy", TimeSpan.FromSeconds(7)).ToProblem().RetryAfter);

    [Theory]
    [InlineData("tenant_id", null, "tenantId")]
    [InlineData("events[0].timestamp", 0, "ts")]
    [InlineData("events[3].meta", 3, "meta")]
    [InlineData("events[99999999999].x", null, "events[99999999999].x")]
    [InlineData("page_token", null, "cursor")]
    [InlineData("mapping.price_id", null, "priceId")]
    [InlineData("document_json", null, "body")]
    [InlineData("document_json.inputs.usageItems[0].price.unit_amount", null, "inputs.usageItems[0].price.unit_amount")]
    [InlineData("scenario_json.inputs.customerId", null, "scenario.inputs.customerId")]
    [InlineData("metadata_json", null, "metadata")]
    [InlineData("events[2].meta_json", 2, "meta")]
    [InlineData("", null, "")]
    public void RestNames_OfAPath_AreThoseOfTheApi(string path, int? index, string field) =>
        Assert.Equal((index, field), RestNames.Of(path));
}
