using Google.Protobuf;
using Google.Protobuf.Reflection;
using StripeMeter.House.Tests.Kit;
using StripeMeter.V1;

namespace StripeMeter.House.Tests.Protos;

/// <summary>
/// The contracts are well-formed by buf's rules, and keep what was released. A release takes over the file that
/// <see cref="Protos_KeepWhatWasReleased"/> leaves beside the tests' assembly.
/// </summary>
public sealed class ProtoContractTests
{
    private const string Released = "protos/released.base64";

    /// <summary>Methods that answer the very thing they are about, as the resources of Google's APIs do. They keep doing so for their clients.</summary>
    private static readonly string[] AnswerTheirResource =
    [
        "RPC_RESPONSE_STANDARD_NAME stripemeter.v1.AdjustmentService.CreateAdjustment",
        "RPC_RESPONSE_STANDARD_NAME stripemeter.v1.AdjustmentService.GetAdjustment",
        "RPC_RESPONSE_STANDARD_NAME stripemeter.v1.AdjustmentService.ApproveAdjustment",
        "RPC_RESPONSE_STANDARD_NAME stripemeter.v1.AdjustmentService.RevertAdjustment",
        "RPC_RESPONSE_STANDARD_NAME stripemeter.v1.CounterService.GetCounter",
        "RPC_RESPONSE_STANDARD_NAME stripemeter.v1.MappingService.CreateMapping",
        "RPC_RESPONSE_STANDARD_NAME stripemeter.v1.MappingService.GetMapping",
        "RPC_RESPONSE_STANDARD_NAME stripemeter.v1.MappingService.UpdateMapping",
        "RPC_REQUEST_RESPONSE_UNIQUE stripemeter.v1.Adjustment: stripemeter.v1.AdjustmentService.CreateAdjustment, stripemeter.v1.AdjustmentService.GetAdjustment",
        "RPC_REQUEST_RESPONSE_UNIQUE stripemeter.v1.AdjustmentTransition: stripemeter.v1.AdjustmentService.ApproveAdjustment, stripemeter.v1.AdjustmentService.RevertAdjustment",
        "RPC_REQUEST_RESPONSE_UNIQUE stripemeter.v1.Mapping: stripemeter.v1.MappingService.CreateMapping, stripemeter.v1.MappingService.GetMapping, stripemeter.v1.MappingService.UpdateMapping",
    ];

    private static readonly FileDescriptor[] Files =
        [.. typeof(PricingService).Assembly.GetTypes()
            .Select(type => type.GetProperty("Descriptor", typeof(FileDescriptor))?.GetValue(null)).OfType<FileDescriptor>()
            .OrderBy(file => file.Name, StringComparer.Ordinal)];

    private static FileDescriptorSet Now => new() { File = { Files.Select(file => file.ToProto()) } };

    [Fact]
    public void Protos_KeepTheStandardRules() => Assert.Equal(AnswerTheirResource, ProtoLint.Findings(Files));

    [Fact]
    public void Protos_KeepWhatWasReleased()
    {
        var now = Convert.ToBase64String(Now.ToByteArray(), Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\n");
        File.WriteAllText(Path.Combine(AppContext.BaseDirectory, Path.GetFileName(Released)), now + "\n");
        var released = FileDescriptorSet.Parser.ParseFrom(Convert.FromBase64String(Repository.Read(Released)));

        Assert.Equal([], ProtoBreaks.Between(released, Now));
    }

    [Fact]
    public void Breaks_OfEveryKind_AreFound()
    {
        var changed = Now;
        var file = changed.File.Single(one => one.Name.EndsWith("/pricing.proto", StringComparison.Ordinal));
        var request = file.MessageType.Single(message => message.Name == "GetProjectionRequest");
        request.Field.Single(field => field.Name == "customer_ref").Type = FieldDescriptorProto.Types.Type.Bytes;
        request.Field.Remove(request.Field.Single(field => field.Name == "at_time"));
        file.MessageType.Remove(file.MessageType.Single(message => message.Name == "LinePart"));
        file.Service[0].Method.Remove(file.Service[0].Method.Single(method => method.Name == "RefreshPrice"));
        var states = changed.File.Single(one => one.Name.EndsWith("/simulations.proto", StringComparison.Ordinal)).EnumType.Single(type => type.Name == "RunStatus");
        states.Value.Single(value => value.Name == "RUN_STATUS_FAILED").Number = 9;

        string[] expected = ["LinePart", "customer_ref", "at_time", "RUN_STATUS_FAILED", "RefreshPrice"];
        var found = ProtoBreaks.Between(Now, changed).ToArray();

        Assert.Equal(expected.Length, found.Length);
        Assert.All(expected, name => Assert.Contains(found, text => text.Contains(name, StringComparison.Ordinal)));
    }

    [Fact]
    public void Findings_OfEveryKind_AreFound()
    {
        var file = new FileDescriptorProto
        {
            Name = "wrong/Bad.proto", Package = "right", Syntax = "proto3",
            MessageType = { new DescriptorProto { Name = "bad_message", Field = { Field("BadField", 1) } }, new DescriptorProto { Name = "Empty" } },
            EnumType = { new EnumDescriptorProto { Name = "Kind", Value = { new EnumValueDescriptorProto { Name = "other", Number = 0 } } } },
            Service = { new ServiceDescriptorProto { Name = "Things", Method = { Method("get"), Method("Other") } } },
        };

        var rules = ProtoLint.Findings(FileDescriptor.BuildFromByteStrings([file.ToByteString()])).Select(finding => finding.Split(' ')[0]).ToHashSet();

        Assert.Superset(
            new HashSet<string>(
            [
                "FILE_LOWER_SNAKE_CASE", "PACKAGE_DIRECTORY_MATCH", "PACKAGE_VERSION_SUFFIX", "MESSAGE_PASCAL_CASE", "FIELD_LOWER_SNAKE_CASE", "ENUM_VALUE_PREFIX",
                "ENUM_VALUE_UPPER_SNAKE_CASE", "ENUM_ZERO_VALUE_SUFFIX", "SERVICE_SUFFIX", "RPC_PASCAL_CASE", "RPC_REQUEST_STANDARD_NAME",
                "RPC_RESPONSE_STANDARD_NAME", "RPC_REQUEST_RESPONSE_UNIQUE",
            ]), rules);
    }

    private static FieldDescriptorProto Field(string name, int number) => new()
    {
        Name = name, Number = number, Label = FieldDescriptorProto.Types.Label.Optional, Type = FieldDescriptorProto.Types.Type.String, JsonName = name,
    };

    private static MethodDescriptorProto Method(string name) => new() { Name = name, InputType = ".right.Empty", OutputType = ".right.Empty" };
}
