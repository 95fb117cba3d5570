using Google.Protobuf.Reflection;

namespace StripeMeter.House.Tests.Protos;

/// <summary>What of a released contract a later one no longer keeps: for bytes on the wire and for code that was generated.</summary>
internal static class ProtoBreaks
{
    public static IEnumerable<string> Between(FileDescriptorSet released, FileDescriptorSet now)
    {
        var (messages, enums, services) = (MessagesOf(now), EnumsOf(now), ServicesOf(now));
        return
        [
            .. MessagesOf(released).SelectMany(old => messages.TryGetValue(old.Key, out var kept) ? OfMessage(old.Key, old.Value, kept) : [$"message {old.Key} is gone"]),
            .. EnumsOf(released).SelectMany(old => enums.TryGetValue(old.Key, out var kept) ? OfEnum(old.Key, old.Value, kept) : [$"enum {old.Key} is gone"]),
            .. ServicesOf(released).SelectMany(old => services.TryGetValue(old.Key, out var kept) ? OfService(old.Key, old.Value, kept) : [$"service {old.Key} is gone"]),
        ];
    }

    private static IEnumerable<string> OfMessage(string name, DescriptorProto old, DescriptorProto kept)
    {
        var fields = kept.Field.ToDictionary(field => field.Number);
        foreach (var field in old.Field)
        {
            if (!fields.TryGetValue(field.Number, out var now))
            {
                if (!kept.ReservedRange.Any(range => range.Start <= field.Number && field.Number < range.End) || !kept.ReservedName.Contains(field.Name))
                    yield return $"field {name}.{field.Name} = {field.Number} is gone, and neither its number nor its name are reserved";
            }
            else if (Shape(field) != Shape(now))
            {
                yield return $"field {name}.{field.Name} = {field.Number} was {Shape(field)} and is {Shape(now)}";
            }
        }
    }

    private static IEnumerable<string> OfEnum(string name, EnumDescriptorProto old, EnumDescriptorProto kept) =>
        old.Value.Where(value => !kept.Value.Any(now => (now.Name, now.Number) == (value.Name, value.Number)))
            .Select(value => $"value {name}.{value.Name} = {value.Number} is gone");

    private static IEnumerable<string> OfService(string name, ServiceDescriptorProto old, ServiceDescriptorProto kept) =>
        old.Method.Where(method => !kept.Method.Any(now => Shape(now) == Shape(method)))
            .Select(method => $"method {name}: {Shape(method)} is gone");

    private static string Shape(FieldDescriptorProto field) =>
        $"{field.Name} {field.Label} {field.Type} {field.TypeName}{(field.Proto3Optional ? " optional" : "")}{(field.HasOneofIndex && !field.Proto3Optional ? " in a oneof" : "")}";

    private static string Shape(MethodDescriptorProto method) =>
        $"{method.Name}({(method.ClientStreaming ? "stream " : "")}{method.InputType}) returns ({(method.ServerStreaming ? "stream " : "")}{method.OutputType})";

    private static Dictionary<string, DescriptorProto> MessagesOf(FileDescriptorSet files) =>
        files.File.SelectMany(file => file.MessageType.SelectMany(message => Nested(file.Package, message))).ToDictionary(pair => pair.Name, pair => pair.Message);

    private static IEnumerable<(string Name, DescriptorProto Message)> Nested(string scope, DescriptorProto message) =>
        message.NestedType.SelectMany(nested => Nested($"{scope}.{message.Name}", nested)).Prepend(($"{scope}.{message.Name}", message));

    private static Dictionary<string, EnumDescriptorProto> EnumsOf(FileDescriptorSet files) => files.File
        .SelectMany(file => file.EnumType.Select(type => (Name: $"{file.Package}.{type.Name}", Type: type))
            .Concat(file.MessageType.SelectMany(message => Nested(file.Package, message))
                .SelectMany(found => found.Message.EnumType.Select(type => (Name: $"{found.Name}.{type.Name}", Type: type)))))
        .ToDictionary(pair => pair.Name, pair => pair.Type);

    private static Dictionary<string, ServiceDescriptorProto> ServicesOf(FileDescriptorSet files) =>
        files.File.SelectMany(file => file.Service.Select(service => (Name: $"{file.Package}.{service.Name}", Service: service))).ToDictionary(pair => pair.Name, pair => pair.Service);
}
