using System.Text.RegularExpressions;
using Google.Protobuf.Reflection;

namespace StripeMeter.House.Tests.Protos;

/// <summary>
/// The STANDARD rules of buf (https://buf.build/docs/lint/rules) that are not about options of other languages, on compiled
/// descriptors. Each finding names the rule and the place.
/// </summary>
internal static partial class ProtoLint
{
    public static IEnumerable<string> Findings(IReadOnlyList<FileDescriptor> files) => files.SelectMany(file => (string[])
    [
        .. OfFile(file), .. file.Services.SelectMany(OfService), .. file.MessageTypes.SelectMany(OfMessage), .. file.EnumTypes.SelectMany(OfEnum),
    ]).Concat(SharedRequests(files));

    private static IEnumerable<string> OfFile(FileDescriptor file)
    {
        if (!FileName().IsMatch(Path.GetFileName(file.Name)))
            yield return $"FILE_LOWER_SNAKE_CASE {file.Name}";
        if (Path.GetDirectoryName(file.Name)!.Replace('/', '.') != file.Package)
            yield return $"PACKAGE_DIRECTORY_MATCH {file.Name}";
        if (!PackageVersion().IsMatch(file.Package))
            yield return $"PACKAGE_VERSION_SUFFIX {file.Name}";
        if (file.PublicDependencies.Count > 0)
            yield return $"IMPORT_NO_PUBLIC {file.Name}";
        if (file.ToProto().Syntax != "proto3")
            yield return $"SYNTAX_SPECIFIED {file.Name}";
        var used = TypesOf(file).Select(type => type.File.Name).ToHashSet();
        foreach (var import in file.Dependencies.Where(import => !used.Contains(import.Name)))
            yield return $"IMPORT_USED {file.Name}: {import.Name}";
    }

    private static IEnumerable<string> OfService(ServiceDescriptor service)
    {
        if (!PascalCase().IsMatch(service.Name))
            yield return $"SERVICE_PASCAL_CASE {service.FullName}";
        if (!service.Name.EndsWith("Service", StringComparison.Ordinal))
            yield return $"SERVICE_SUFFIX {service.FullName}";
        foreach (var method in service.Methods)
        {
            if (!PascalCase().IsMatch(method.Name))
                yield return $"RPC_PASCAL_CASE {method.FullName}";
            if (method.InputType.Name != method.Name + "Request" && method.InputType.Name != service.Name + method.Name + "Request")
                yield return $"RPC_REQUEST_STANDARD_NAME {method.FullName}";
            if (method.OutputType.Name != method.Name + "Response" && method.OutputType.Name != service.Name + method.Name + "Response")
                yield return $"RPC_RESPONSE_STANDARD_NAME {method.FullName}";
        }
    }

    private static IEnumerable<string> OfMessage(MessageDescriptor message)
    {
        if (message.GetOptions()?.MapEntry == true)
            yield break;
        if (!PascalCase().IsMatch(message.Name))
            yield return $"MESSAGE_PASCAL_CASE {message.FullName}";
        foreach (var field in message.Fields.InDeclarationOrder().Where(field => !SnakeCase().IsMatch(field.Name)))
            yield return $"FIELD_LOWER_SNAKE_CASE {field.FullName}";
        foreach (var oneof in message.Oneofs.Where(oneof => !oneof.IsSynthetic && !SnakeCase().IsMatch(oneof.Name)))
            yield return $"ONEOF_LOWER_SNAKE_CASE {oneof.FullName}";
        foreach (var finding in message.NestedTypes.SelectMany(OfMessage).Concat(message.EnumTypes.SelectMany(OfEnum)))
            yield return finding;
    }

    private static IEnumerable<string> OfEnum(EnumDescriptor type)
    {
        if (!PascalCase().IsMatch(type.Name))
            yield return $"ENUM_PASCAL_CASE {type.FullName}";
        var prefix = WordStart().Replace(type.Name, "_$0").ToUpperInvariant() + "_";
        foreach (var value in type.Values)
        {
            if (!value.Name.StartsWith(prefix, StringComparison.Ordinal))
                yield return $"ENUM_VALUE_PREFIX {value.FullName}";
            if (!UpperSnakeCase().IsMatch(value.Name))
                yield return $"ENUM_VALUE_UPPER_SNAKE_CASE {value.FullName}";
        }

        if (type.Values[0].Number != 0)
            yield return $"ENUM_FIRST_VALUE_ZERO {type.FullName}";
        if (type.Values[0].Name != prefix + "UNSPECIFIED")
            yield return $"ENUM_ZERO_VALUE_SUFFIX {type.FullName}";
        if (type.ToProto().Options?.AllowAlias == true)
            yield return $"ENUM_NO_ALLOW_ALIAS {type.FullName}";
    }

    private static IEnumerable<string> SharedRequests(IReadOnlyList<FileDescriptor> files) => files
        .SelectMany(file => file.Services).SelectMany(service => service.Methods)
        .SelectMany(method => (IEnumerable<(MessageDescriptor Type, string Method)>)[(method.InputType, method.FullName), (method.OutputType, method.FullName)])
        .GroupBy(use => use.Type.FullName).Where(uses => uses.Count() > 1)
        .Select(uses => $"RPC_REQUEST_RESPONSE_UNIQUE {uses.Key}: {string.Join(", ", uses.Select(use => use.Method))}");

    /// <summary>The types that a file names from elsewhere.</summary>
    private static IEnumerable<IDescriptor> TypesOf(FileDescriptor file) =>
        file.MessageTypes.SelectMany(TypesOf)
            .Concat(file.Services.SelectMany(service => service.Methods).SelectMany(method => (IDescriptor[])[method.InputType, method.OutputType]));

    private static IEnumerable<IDescriptor> TypesOf(MessageDescriptor message) => message.NestedTypes.SelectMany(TypesOf)
        .Concat(message.Fields.InDeclarationOrder().Where(field => field.FieldType is FieldType.Message or FieldType.Enum)
            .Select(field => field.FieldType == FieldType.Enum ? (IDescriptor)field.EnumType : field.MessageType));

    [GeneratedRegex("^[a-z0-9]+(_[a-z0-9]+)*\\.proto$")]
    private static partial Regex FileName();

    [GeneratedRegex("\\.v[1-9][0-9]*(alpha|beta)?[0-9]*$")]
    private static partial Regex PackageVersion();

    [GeneratedRegex("^[A-Z][A-Za-z0-9]*$")]
    private static partial Regex PascalCase();

    [GeneratedRegex("^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
    private static partial Regex SnakeCase();

    [GeneratedRegex("^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")]
    private static partial Regex UpperSnakeCase();

    [GeneratedRegex("(?<=[a-z0-9])[A-Z]")]
    private static partial Regex WordStart();
}
