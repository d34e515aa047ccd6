using System.Collections;
using System.Collections.Concurrent;
using CoordinationPlan.Policy;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace CoordinationPlan.Server.Access;

/// <summary>
/// The last guard: drops from an answer every field whose category the permit does not list. What may not be read is not fetched in the first
/// place; this is the one place that no mapping can forget. The plan of each message is read from the contract once.
/// </summary>
internal static class Redaction
{
    private static readonly ConcurrentDictionary<MessageDescriptor, (IFieldAccessor Accessor, Categories Category, bool IsMessage, bool IsRepeated)[]> Plans = new();

    private static readonly ConcurrentDictionary<MessageDescriptor, Categories> Answers = new();

    /// <summary>Drops what the permit does not list, in the message and in what it holds.</summary>
    public static void Apply(IMessage message, Categories permitted)
    {
        foreach (var (accessor, category, isMessage, isRepeated) in PlanOf(message.Descriptor))
        {
            if ((category & permitted) == Categories.None)
            {
                accessor.Clear(message);
            }
            else if (isMessage)
            {
                ApplyInside(accessor.GetValue(message), isRepeated, permitted);
            }
        }
    }

    /// <summary>
    /// Every category that an answer of this type can hold. Participations and interventions of a sheltered housing are whereabouts, whatever the
    /// categories of their fields: which rows they are is decided in SQL, by the category of each.
    /// </summary>
    public static Categories CategoriesIn(MessageDescriptor descriptor) => Answers.GetOrAdd(descriptor, static found =>
    {
        var seen = new HashSet<MessageDescriptor>();
        var categories = CategoriesIn(found, seen);
        return seen.Contains(Participation.Descriptor) || seen.Contains(Intervention.Descriptor) ? categories | Categories.Whereabouts : categories;
    });

    /// <summary>The category of a field; one without a category is never sent.</summary>
    public static Categories CategoryOf(FieldDescriptor field)
    {
        var category = field.GetOptions()?.GetExtension(OptionsExtensions.Category) ?? InformationCategory.Unspecified;
        return category == InformationCategory.Unspecified ? Categories.None : (Categories)(1 << (int)category);
    }

    private static void ApplyInside(object? value, bool isRepeated, Categories permitted)
    {
        if (isRepeated)
        {
            foreach (IMessage element in (IList)value!)
            {
                Apply(element, permitted);
            }
        }
        else if (value is IMessage nested)
        {
            Apply(nested, permitted);
        }
    }

    // Messages of other packages (dates, instants) are values: they go or stay with the field that holds them.
    private static bool IsOurs(FieldDescriptor field) =>
        field.FieldType == FieldType.Message && field.MessageType.File.Package.StartsWith("coordinationplan.", StringComparison.Ordinal)
        && field.MessageType != DatePeriod.Descriptor;

    private static (IFieldAccessor, Categories, bool, bool)[] PlanOf(MessageDescriptor descriptor) => Plans.GetOrAdd(
        descriptor,
        static found => [.. found.Fields.InDeclarationOrder().Select(field => (field.Accessor, CategoryOf(field), IsOurs(field), field.IsRepeated))]);

    private static Categories CategoriesIn(MessageDescriptor descriptor, HashSet<MessageDescriptor> seen) => seen.Add(descriptor)
        ? descriptor.Fields.InDeclarationOrder().Aggregate(
            Categories.None,
            (all, field) => all | CategoryOf(field) | (IsOurs(field) ? CategoriesIn(field.MessageType, seen) : Categories.None))
        : Categories.None;
}
