using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace CoordinationPlan.RegionSystem;

/// <summary>What changes hold, by their kinds, and which categories that is: as the contract says of each field, so that a new field is forgotten as it should be.</summary>
internal static class Content
{
    private static readonly Dictionary<ChangeKind, int> Fields = new()
    {
        [ChangeKind.Plan] = Change.PlanStateFieldNumber,
        [ChangeKind.Participation] = Change.ParticipationFieldNumber,
        [ChangeKind.Meeting] = Change.MeetingFieldNumber,
        [ChangeKind.Summons] = Change.SummonsFieldNumber,
        [ChangeKind.Task] = Change.TaskFieldNumber,
        [ChangeKind.SyncedParticipation] = Change.SyncedParticipationFieldNumber,
    };

    public static bool IsKnown(ChangeKind kind) => Fields.ContainsKey(kind);

    /// <summary>What the change holds; null where it holds nothing of its kind.</summary>
    public static IMessage? Of(Change change) => FieldOf(change.Kind).Accessor.GetValue(change) as IMessage;

    /// <summary>Which thing it is, within its kind.</summary>
    public static string ThingOf(IMessage content) => content switch
    {
        Plan plan => plan.Name,
        Participation participation => participation.Name,
        Meeting meeting => meeting.Name,
        OwnCall summons => summons.Meeting,
        ChangedTask task => task.Subject,
        SyncedParticipation synced => synced.Name,
        _ => throw new ArgumentException("Not what a change holds.", nameof(content)),
    };

    /// <summary>What is left of a thing when these categories are to be forgotten; null where nothing is.</summary>
    public static string? Without(ChangeKind kind, string json, IReadOnlySet<InformationCategory> categories)
    {
        var field = FieldOf(kind);
        if (categories.Contains(CategoryOf(field)))
        {
            return null;
        }

        var content = field.MessageType.Parser.ParseJson(json);
        Clear(content, categories);
        return content.ToString();
    }

    private static FieldDescriptor FieldOf(ChangeKind kind) => Change.Descriptor.FindFieldByNumber(Fields[kind]);

    private static InformationCategory CategoryOf(FieldDescriptor field) => field.GetOptions()?.GetExtension(OptionsExtensions.Category) ?? InformationCategory.Unspecified;

    private static void Clear(IMessage message, IReadOnlySet<InformationCategory> categories)
    {
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            if (categories.Contains(CategoryOf(field)))
            {
                field.Accessor.Clear(message);
            }
            else if (field is { FieldType: FieldType.Message, IsMap: false })
            {
                var value = field.Accessor.GetValue(message);
                foreach (var part in (value is System.Collections.IList parts ? parts.Cast<object?>() : [value]).OfType<IMessage>())
                {
                    Clear(part, categories);
                }
            }
        }
    }
}
