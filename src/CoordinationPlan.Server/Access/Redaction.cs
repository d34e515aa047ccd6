using System.Collections.Concurrent;
using System.Linq.Expressions;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace CoordinationPlan.Server.Access;

/// <summary>
/// The last guard: drops from an answer every field whose category the permit does not list. What may not be read is not fetched in the first
/// place; this is the one place that no mapping can forget. What to do with a message is read from the contract and compiled once for each type.
/// </summary>
internal static class Redaction
{
    private static readonly ConcurrentDictionary<MessageDescriptor, Action<IMessage, Categories>> Redactors = new();

    private static readonly ConcurrentDictionary<MessageDescriptor, Categories> Answers = new();

    private static readonly ConcurrentDictionary<MessageDescriptor, bool> WithSeveral = new();

    private static readonly MessageDescriptor[] NamingUnits =
        [Participation.Descriptor, Intervention.Descriptor, MeetingCall.Descriptor, ProposalAnswer.Descriptor, ProtectionMeasure.Descriptor, ListCopiesResponse.Descriptor, Delivery.Descriptor];

    /// <summary>Drops what the permit does not list, in the message and in what it holds.</summary>
    public static void Apply(IMessage message, Categories permitted) => Redactors.GetOrAdd(message.Descriptor, Compile)(message, permitted);

    /// <summary>Drops every row that names a unit, wherever it is in the message.</summary>
    public static void DropWhatNamesUnits(IMessage message)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder().Where(IsLookedInto))
        {
            if (NamingUnits.Contains(field.MessageType))
            {
                field.Accessor.Clear(message);
                continue;
            }

            var value = field.Accessor.GetValue(message);
            foreach (var part in value is System.Collections.IEnumerable parts ? parts.OfType<IMessage>() : new[] { value }.OfType<IMessage>())
            {
                DropWhatNamesUnits(part);
            }
        }
    }

    /// <summary>
    /// Every category that an answer of this type can hold. Whatever names a sheltered housing is whereabouts, and what names a school the school placement,
    /// whatever the categories of its fields: which rows they are is decided in SQL, by the category of each.
    /// </summary>
    public static Categories CategoriesIn(MessageDescriptor descriptor) => Answers.GetOrAdd(descriptor, static found =>
    {
        var seen = new HashSet<MessageDescriptor>();
        var categories = CategoriesIn(found, seen);
        return seen.Overlaps(NamingUnits) ? categories | Categories.Whereabouts | Categories.SchoolPlacement : categories;
    });

    /// <summary>
    /// The categories inside the fields of an answer that hold several at once, as documents do. They are what the message lists beside such a field.
    /// </summary>
    public static Categories HeldIn(IMessage message) => HoldsSeveral(message.Descriptor)
        ? message.Descriptor.Fields.InDeclarationOrder().Aggregate(Categories.None, (held, field) => held | (field.Accessor.GetValue(message) switch
        {
            ByteString { IsEmpty: false } when ListOf(field) is { } list => Listed(message, list),
            IMessage inner when IsLookedInto(field) => HeldIn(inner),
            _ => Categories.None,
        }))
        : Categories.None;

    /// <summary>The category of a field; one without a category is never sent.</summary>
    public static Categories CategoryOf(FieldDescriptor field)
    {
        var category = field.GetOptions()?.GetExtension(OptionsExtensions.Category) ?? InformationCategory.Unspecified;
        return category == InformationCategory.Unspecified ? Categories.None : (Categories)(1 << (int)category);
    }

    /// <summary>Messages of other packages (dates, instants), periods, identity numbers and substitutes are values: they go or stay with the field that holds them.</summary>
    public static bool IsLookedInto(FieldDescriptor field) =>
        field.FieldType == FieldType.Message && field.MessageType.File.Package.StartsWith("coordinationplan.", StringComparison.Ordinal)
        && field.MessageType != DatePeriod.Descriptor && field.MessageType != IdentityNumber.Descriptor && field.MessageType != Substitute.Descriptor;

    private static Action<IMessage, Categories> Compile(MessageDescriptor descriptor)
    {
        var (any, permitted) = (Expression.Parameter(typeof(IMessage)), Expression.Parameter(typeof(Categories)));
        var message = Expression.Variable(descriptor.ClrType);
        // First, while the lists that they are decided by are there.
        var several = descriptor.Fields.InDeclarationOrder().Where(field => ListOf(field) is not null)
            .Select(field => Expression.Call(((Action<IMessage, FieldDescriptor, Categories>)DropUnlessAllPermitted).Method, any, Expression.Constant(field), permitted));
        var steps = descriptor.Fields.InDeclarationOrder().Select(field =>
        {
            var isPermitted = Expression.NotEqual(
                Expression.And(Expression.Convert(permitted, typeof(int)), Expression.Constant((int)CategoryOf(field))), Expression.Constant(0));
            return Expression.IfThenElse(isPermitted, IsLookedInto(field) ? LookInto(field, message, permitted) : Expression.Empty(), Clear(field, message));
        });
        return Expression.Lambda<Action<IMessage, Categories>>(
            Expression.Block([message], [Expression.Assign(message, Expression.Convert(any, descriptor.ClrType)), .. several, .. steps]), any, permitted).Compile();
    }

    private static MethodCallExpression LookInto(FieldDescriptor field, Expression message, Expression permitted) =>
        Expression.Call(
            field.IsRepeated ? ((Action<IEnumerable<IMessage>, Categories>)ApplyToAll).Method : ((Action<IMessage?, Categories>)ApplyToOne).Method,
            Expression.Property(message, field.PropertyName),
            permitted);

    private static Expression Clear(FieldDescriptor field, Expression message)
    {
        var property = Expression.Property(message, field.PropertyName);
        if (field.IsRepeated)
        {
            return Expression.Call(property, "Clear", null);
        }

        return field.FieldType switch
        {
            FieldType.Message => Expression.Assign(property, Expression.Constant(null, property.Type)),
            _ when field.HasPresence => Expression.Call(message, "Clear" + field.PropertyName, null),
            FieldType.String => Expression.Assign(property, Expression.Constant("")),
            FieldType.Bytes => Expression.Assign(property, Expression.Constant(ByteString.Empty)),
            _ => Expression.Assign(property, Expression.Default(property.Type)),
        };
    }

    private static void ApplyToOne(IMessage? message, Categories permitted)
    {
        if (message is not null)
        {
            Apply(message, permitted);
        }
    }

    private static void ApplyToAll(IEnumerable<IMessage> messages, Categories permitted)
    {
        foreach (var message in messages)
        {
            Apply(message, permitted);
        }
    }

    /// <summary>The field that lists the categories in a field that holds several; null for one that holds its own only.</summary>
    private static FieldDescriptor? ListOf(FieldDescriptor field) =>
        field.GetOptions()?.GetExtension(OptionsExtensions.CategoriesIn) is { Length: > 0 } name ? field.ContainingType.FindFieldByName(name) : null;

    private static Categories Listed(IMessage message, FieldDescriptor list) => CategorySets.ToSet((IEnumerable<InformationCategory>)list.Accessor.GetValue(message));

    /// <summary>What lists nothing says not what it holds, and is dropped too.</summary>
    private static void DropUnlessAllPermitted(IMessage message, FieldDescriptor field, Categories permitted)
    {
        var held = Listed(message, ListOf(field)!);
        if (held == Categories.None || (held & ~permitted) != 0)
        {
            field.Accessor.Clear(message);
        }
    }

    private static bool HoldsSeveral(MessageDescriptor descriptor) => WithSeveral.GetOrAdd(descriptor, static found => HoldsSeveral(found, []));

    private static bool HoldsSeveral(MessageDescriptor descriptor, HashSet<MessageDescriptor> seen) =>
        seen.Add(descriptor) && descriptor.Fields.InDeclarationOrder().Any(field => ListOf(field) is not null || (IsLookedInto(field) && HoldsSeveral(field.MessageType, seen)));

    private static Categories CategoriesIn(MessageDescriptor descriptor, HashSet<MessageDescriptor> seen) => seen.Add(descriptor)
        ? descriptor.Fields.InDeclarationOrder().Aggregate(
            Categories.None,
            (all, field) => all | CategoryOf(field) | (IsLookedInto(field) ? CategoriesIn(field.MessageType, seen) : Categories.None))
        : Categories.None;
}
