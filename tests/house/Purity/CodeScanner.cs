using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace StripeMeter.House.Tests.Purity;

/// <summary>
/// Reads what compiled code uses: the types in its signatures and bodies, the members it calls, and its instructions. It
/// sees what a search of the sources cannot: inferred types, implicit conversions, overloads.
/// </summary>
internal sealed class CodeScanner : IDisposable
{
    private static readonly Dictionary<short, OpCode> OpCodesByValue = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    private readonly PEReader _file;
    private readonly MetadataReader _metadata;
    private readonly TypeNames _names = new();

    public CodeScanner(string assemblyPath)
    {
        _file = new PEReader(File.OpenRead(assemblyPath));
        _metadata = _file.GetMetadataReader();
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Members of other assemblies that are used: <c>Namespace.Type.Member</c>.</summary>
    public IEnumerable<string> UsedMembers() => _metadata.MemberReferences.Select(NameOf);

    /// <summary>Types of other assemblies that are used: <c>Namespace.Type</c>.</summary>
    public IEnumerable<string> UsedTypes() => _metadata.TypeReferences.Select(handle => _names.GetTypeFromReference(_metadata, handle, 0));

    /// <summary>Every place that handles one of the given primitive types, and what it is.</summary>
    public IEnumerable<string> Handles(params string[] types) =>
        Signatures().Where(place => types.Any(type => place.Types.Any(name => Mentions(name, type))))
            .Select(place => $"{place.Where}: {string.Join(", ", place.Types)}");

    /// <summary>Methods of a namespace that contain one of the given instructions.</summary>
    public IEnumerable<string> Executes(params OpCode[] instructions) =>
        from method in Methods()
        from code in Instructions(method.Body)
        where instructions.Contains(code)
        select $"{method.Name}: {code}";

    private static bool Mentions(string name, string type) =>
        name.Split('<', '>', ',', '[', ']', '&', '*').Contains(type);

    private IEnumerable<(string Where, IReadOnlyList<string> Types)> Signatures()
    {
        foreach (var field in _metadata.FieldDefinitions.Select(_metadata.GetFieldDefinition))
            yield return (NameOf(field.GetDeclaringType(), field.Name), [field.DecodeSignature(_names, null)]);
        foreach (var method in _metadata.MethodDefinitions.Select(_metadata.GetMethodDefinition))
            yield return (NameOf(method.GetDeclaringType(), method.Name), TypesOf(method.DecodeSignature(_names, null)));
        foreach (var method in Methods().Where(method => !method.Body.LocalSignature.IsNil))
            yield return (method.Name, _metadata.GetStandaloneSignature(method.Body.LocalSignature).DecodeLocalSignature(_names, null));
        foreach (var handle in _metadata.MemberReferences)
            yield return (NameOf(handle), TypesOf(_metadata.GetMemberReference(handle)));
        for (var row = 1; row <= _metadata.GetTableRowCount(TableIndex.MethodSpec); row++)
            yield return ("generic call", _metadata.GetMethodSpecification(MetadataTokens.MethodSpecificationHandle(row)).DecodeSignature(_names, null));
        for (var row = 1; row <= _metadata.GetTableRowCount(TableIndex.TypeSpec); row++)
            yield return ("generic type", [_metadata.GetTypeSpecification(MetadataTokens.TypeSpecificationHandle(row)).DecodeSignature(_names, null)]);
    }

    private ImmutableArray<string> TypesOf(MemberReference member) => member.GetKind() == MemberReferenceKind.Method
        ? TypesOf(member.DecodeMethodSignature(_names, null))
        : [member.DecodeFieldSignature(_names, null)];

    private static ImmutableArray<string> TypesOf(MethodSignature<string> signature) => [signature.ReturnType, .. signature.ParameterTypes];

    private IEnumerable<(string Name, MethodBodyBlock Body)> Methods() =>
        from method in _metadata.MethodDefinitions.Select(_metadata.GetMethodDefinition)
        where method.RelativeVirtualAddress != 0
        select (NameOf(method.GetDeclaringType(), method.Name), _file.GetMethodBody(method.RelativeVirtualAddress));

    private static IEnumerable<OpCode> Instructions(MethodBodyBlock body)
    {
        var content = body.GetILContent();
        for (var offset = 0; offset < content.Length;)
        {
            // Two-byte instructions start with 0xFE.
            var isLong = content[offset] == 0xFE;
            var code = OpCodesByValue[isLong ? unchecked((short)(0xFE00 | content[offset + 1])) : content[offset]];
            offset += isLong ? 2 : 1;
            yield return code;
            offset += code.OperandType == OperandType.InlineSwitch
                ? 4 + (4 * BitConverter.ToInt32(content.AsSpan(offset, 4)))
                : OperandBytes(code.OperandType);
        }
    }

    private static int OperandBytes(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => 4,
    };

    private string NameOf(MemberReferenceHandle handle)
    {
        var member = _metadata.GetMemberReference(handle);
        var parent = member.Parent.Kind switch
        {
            HandleKind.TypeReference => _names.GetTypeFromReference(_metadata, (TypeReferenceHandle)member.Parent, 0),
            HandleKind.TypeDefinition => _names.GetTypeFromDefinition(_metadata, (TypeDefinitionHandle)member.Parent, 0),
            HandleKind.TypeSpecification => _metadata.GetTypeSpecification((TypeSpecificationHandle)member.Parent).DecodeSignature(_names, null),
            _ => "",
        };
        return $"{parent}.{_metadata.GetString(member.Name)}";
    }

    private string NameOf(TypeDefinitionHandle type, StringHandle member) =>
        $"{_names.GetTypeFromDefinition(_metadata, type, 0)}.{_metadata.GetString(member)}";

    /// <summary>Spells types as <c>Namespace.Outer.Type&lt;Argument&gt;</c>.</summary>
    private sealed class TypeNames : ISignatureTypeProvider<string, object?>
    {
        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => "System." + typeCode;

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
        {
            var type = reader.GetTypeReference(handle);
            var name = reader.GetString(type.Name);
            return type.ResolutionScope.Kind == HandleKind.TypeReference
                ? GetTypeFromReference(reader, (TypeReferenceHandle)type.ResolutionScope, 0) + "." + name
                : reader.GetString(type.Namespace) + "." + name;
        }

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
        {
            var type = reader.GetTypeDefinition(handle);
            var outer = type.GetDeclaringType();
            return (outer.IsNil ? reader.GetString(type.Namespace) : GetTypeFromDefinition(reader, outer, 0)) + "." + reader.GetString(type.Name);
        }

        public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

        public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) =>
            $"{genericType}<{string.Join(",", typeArguments)}>";

        public string GetArrayType(string elementType, ArrayShape shape) => elementType + "[]";

        public string GetSZArrayType(string elementType) => elementType + "[]";

        public string GetByReferenceType(string elementType) => elementType + "&";

        public string GetPointerType(string elementType) => elementType + "*";

        public string GetPinnedType(string elementType) => elementType;

        public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => unmodifiedType;

        public string GetFunctionPointerType(MethodSignature<string> signature) => $"function<{string.Join(",", TypesOf(signature))}>";

        public string GetGenericMethodParameter(object? genericContext, int index) => "!!" + index;

        public string GetGenericTypeParameter(object? genericContext, int index) => "!" + index;
    }
}
