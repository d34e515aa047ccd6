using System.Collections;
using System.Collections.Concurrent;
using System.Globalization;
using System.Linq.Expressions;
using System.Reflection;
using CoordinationPlan.V1;
using Google.Api;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Type;

namespace CoordinationPlan.Server.Rpc;

/// <summary>
/// Checks the shape of every request before anything else, from what the contract declares: required fields, known enum values, lengths and
/// characters of texts, possible dates and periods, identity numbers, update masks, and no fields that this service does not know (an unknown
/// field may be a restriction that it would drop in silence). What needs knowledge of a case comes later, after the access decision.
/// </summary>
internal static class RequestShape
{
    private const int DefaultMaxLength = 200;
    private const int MaxRepeated = 50;
    private const int MaxPeriodYears = 25;

    /// <summary>Details travel in a header, which clients limit.</summary>
    private const int MaxFaults = 20;
    private static readonly DateOnly FirstDay = new(1900, 1, 1);
    private static readonly DateOnly LastDay = new(2200, 1, 1);

    private static readonly ConcurrentDictionary<MessageDescriptor, MessageShape> Shapes = new();

    /// <summary>Throws INVALID_ARGUMENT naming every faulty field.</summary>
    public static void Check(IMessage request, DateOnly today)
    {
        var faults = new List<FieldFault>();
        var mask = UpdateMaskOf(request, faults);
        CheckMessage(request, "", today, mask, insideMaskedResource: false, faults);
        if (faults.Count > 0)
        {
            throw Errors.InvalidFields(faults.Take(MaxFaults));
        }
    }

    /// <summary>What is wrong with one element of a list whose elements are answered one by one: the first faulty field; null where nothing is.</summary>
    public static FieldFault? FaultOf(IMessage element, DateOnly today)
    {
        var faults = new List<FieldFault>();
        CheckMessage(element, "", today, mask: null, insideMaskedResource: false, faults);
        return faults.Count > 0 ? faults[0] : null;
    }

    private static HashSet<string>? UpdateMaskOf(IMessage request, List<FieldFault> faults)
    {
        if (request.Descriptor.FindFieldByName("update_mask")?.Accessor.GetValue(request) is not FieldMask mask)
        {
            return null;
        }

        var resource = request.Descriptor.Fields.InDeclarationOrder().First(field => field.FieldType == FieldType.Message);
        if (mask.Paths.Count is 0 or > MaxRepeated)
        {
            faults.Add(new FieldFault("update_mask", $"must list 1 to {MaxRepeated} fields"));
        }
        else if (mask.Paths.Any(path => !ShapeOf(resource.MessageType).Fields.Any(shape => shape.Name == path && !shape.IsFixed)))
        {
            faults.Add(new FieldFault("update_mask", "lists a path that cannot be changed; the request's comment lists those that can"));
        }

        return [.. mask.Paths];
    }

    private static void CheckMessage(IMessage message, string prefix, DateOnly today, HashSet<string>? mask, bool insideMaskedResource, List<FieldFault> faults)
    {
        var found = faults.Count;
        var shape = ShapeOf(message.Descriptor);
        if (shape.HasUnknownFields(message))
        {
            faults.Add(new FieldFault(prefix.TrimEnd('.'), "holds a field that this version of the service does not know"));
        }

        foreach (var field in shape.Fields)
        {
            if (field.IsGivenByService || (insideMaskedResource && field.Name != "name" && !mask!.Contains(field.Name)))
            {
                continue;
            }

            // In an update the resource itself is masked: only what the mask lists is looked at.
            var isMaskedResource = mask is not null && prefix.Length == 0 && field.Field.FieldType == FieldType.Message && field.Name != "update_mask";
            CheckField(message, field, prefix + field.Name, today, isMaskedResource ? mask : null, isMaskedResource, faults);
        }

        // A field that is faulty by itself is named once.
        if (faults.Count == found && CheckTogether(message, today) is var (name, description) && description is not null)
        {
            faults.Add(new FieldFault(prefix + name, description));
        }
    }

    private static void CheckField(IMessage message, FieldShape field, string path, DateOnly today, HashSet<string>? mask, bool insideMaskedResource, List<FieldFault> faults)
    {
        var value = field.Field.Accessor.GetValue(message);
        if (field.Field.IsRepeated)
        {
            var list = (IList)value;
            if (field.IsRequired && list.Count == 0)
            {
                faults.Add(new FieldFault(path, "must hold at least one"));
            }
            else if (list.Count > field.MaxCount)
            {
                faults.Add(new FieldFault(path, string.Create(CultureInfo.InvariantCulture, $"holds more than {field.MaxCount}")));
            }
            else if (!field.IsEachAlone)
            {
                for (var i = 0; i < list.Count; i++)
                {
                    CheckValue(list[i], field, string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), isElement: true, today, null, false, faults);
                }
            }
        }
        else
        {
            CheckValue(value, field, path, isElement: false, today, mask, insideMaskedResource, faults);
        }
    }

    private static void CheckValue(object? value, FieldShape field, string path, bool isElement, DateOnly today, HashSet<string>? mask, bool insideMaskedResource, List<FieldFault> faults)
    {
        switch (value)
        {
            case null:
                if (field.IsRequired)
                {
                    faults.Add(new FieldFault(path, "is required"));
                }

                break;
            case string text:
                if (FaultOf(text, field, isElement) is { } fault)
                {
                    faults.Add(new FieldFault(path, fault));
                }

                break;
            case IMessage nested when nested is not FieldMask:
                CheckMessage(nested, path + ".", today, mask, insideMaskedResource, faults);
                break;
            default:
                if (field.Field.FieldType == FieldType.Enum)
                {
                    var number = Convert.ToInt32(value, CultureInfo.InvariantCulture);
                    if (field.Field.EnumType.FindValueByNumber(number) is null)
                    {
                        faults.Add(new FieldFault(path, "is a value that this version of the service does not know"));
                    }
                    else if (number == 0 && (field.IsRequired || isElement))
                    {
                        faults.Add(new FieldFault(path, "is required"));
                    }
                }
                else if (value is int count && count < 0)
                {
                    faults.Add(new FieldFault(path, "must not be negative"));
                }

                break;
        }
    }

    private static string? FaultOf(string text, FieldShape field, bool isElement)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return field.IsRequired || isElement ? "is required" : text.Length > 0 ? "must not be only white space" : null;
        }

        if (field.Name == "request_id" && (!Guid.TryParseExact(text, "D", out var id) || id == Guid.Empty))
        {
            return "must be a UUID, made anew for each change";
        }

        var length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            length++;
            if (!IsAllowed(rune, field.IsMultiline))
            {
                return field.IsMultiline
                    ? "holds a control character other than line break and tab"
                    : "holds a control character or a line break";
            }
        }

        return length > field.MaxLength ? string.Create(CultureInfo.InvariantCulture, $"is longer than {field.MaxLength} characters") : null;
    }

    /// <summary>No control characters, and none that turn the direction of text around: they make a name read as another.</summary>
    private static bool IsAllowed(System.Text.Rune rune, bool isMultiline) => rune.Value switch
    {
        '\n' or '\r' or '\t' => isMultiline,
        (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) or 0x2028 or 0x2029 => false,
        _ => System.Text.Rune.GetUnicodeCategory(rune) != UnicodeCategory.Control,
    };

    /// <summary>Rules over several fields of one message.</summary>
    private static (string Field, string? Description) CheckTogether(IMessage message, DateOnly today) => message switch
    {
        Date date => ("", FaultOf(date)),
        Timestamp time => ("", time.Seconds is < -2208988800 or > 7258118400 || time.Nanos is < 0 or > 999999999 ? "must be an instant from 1900 to 2200" : null),
        DatePeriod { StartDate: { } start, EndDate: { } end } when FaultOf(start) is null && FaultOf(end) is null => ("end_date", FaultOf(start.ToDateOnly(), end.ToDateOnly())),
        IdentityNumber { Value.Length: > 0 } number when number.Kind != IdentityNumberKind.Unspecified => ("value", IdentityNumbers.FaultOf(number.Kind, number.Value, today)),
        _ => ("", null),
    };

    private static string? FaultOf(Date date)
    {
        if (date.Year is < 1 or > 9999 || date.Month is < 1 or > 12 || date.Day < 1 || date.Day > System.DateTime.DaysInMonth(date.Year, date.Month))
        {
            return "must be a whole date that exists";
        }

        return date.ToDateOnly() < FirstDay || date.ToDateOnly() > LastDay ? "must be a date from 1900 to 2200" : null;
    }

    private static string? FaultOf(DateOnly start, DateOnly end) =>
        end < start ? "must not be before start_date"
        : end > start.AddYears(MaxPeriodYears) ? string.Create(CultureInfo.InvariantCulture, $"must not be more than {MaxPeriodYears} years after start_date")
        : null;

    private static MessageShape ShapeOf(MessageDescriptor descriptor) => Shapes.GetOrAdd(descriptor, static found => new MessageShape(found));

    /// <summary>What the contract says of one field, read once.</summary>
    private sealed class FieldShape
    {
        public FieldShape(FieldDescriptor field)
        {
            Field = field;
            Name = field.Name;
            var options = field.GetOptions();
            var behaviour = options?.GetExtension(FieldBehaviorExtensions.FieldBehavior) ?? [];
            IsRequired = behaviour.Contains(FieldBehavior.Required);
            IsGivenByService = behaviour.Contains(FieldBehavior.OutputOnly);
            IsFixed = IsGivenByService || behaviour.Contains(FieldBehavior.Immutable) || behaviour.Contains(FieldBehavior.Identifier);
            var limits = options?.GetExtension(OptionsExtensions.Text);
            MaxLength = limits is { MaxLength: > 0 } ? limits.MaxLength : DefaultMaxLength;
            IsMultiline = limits?.Multiline ?? false;
            var eachAlone = options?.GetExtension(OptionsExtensions.EachAlone) ?? 0;
            IsEachAlone = eachAlone > 0;
            MaxCount = IsEachAlone ? eachAlone : MaxRepeated;
        }

        public FieldDescriptor Field { get; }

        public string Name { get; }

        public bool IsRequired { get; }

        /// <summary>OUTPUT_ONLY: ignored in requests (AIP-203), so that a client can send back what it read.</summary>
        public bool IsGivenByService { get; }

        /// <summary>Cannot be in an update mask.</summary>
        public bool IsFixed { get; }

        public int MaxLength { get; }

        public bool IsMultiline { get; }

        /// <summary>The elements are looked at where each is answered.</summary>
        public bool IsEachAlone { get; }

        /// <summary>The most that a list holds.</summary>
        public int MaxCount { get; }
    }

    private sealed class MessageShape(MessageDescriptor descriptor)
    {
        public FieldShape[] Fields { get; } = [.. descriptor.Fields.InDeclarationOrder().Select(field => new FieldShape(field))];

        /// <summary>Generated messages keep unknown fields in a private field; there is no public way to ask.</summary>
        public Func<IMessage, bool> HasUnknownFields { get; } = CompileHasUnknownFields(descriptor.ClrType);

        private static Func<IMessage, bool> CompileHasUnknownFields(System.Type type)
        {
            var field = type.GetField("_unknownFields", BindingFlags.Instance | BindingFlags.NonPublic)
                ?? throw new InvalidOperationException($"{type.Name} keeps its unknown fields elsewhere than this version of Google.Protobuf does.");
            var message = Expression.Parameter(typeof(IMessage));
            var unknown = Expression.Field(Expression.Convert(message, type), field);
            return Expression.Lambda<Func<IMessage, bool>>(Expression.NotEqual(unknown, Expression.Constant(null, field.FieldType)), message).Compile();
        }
    }
}
