using System.Collections;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.Server.Tests.Everywhere;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace CoordinationPlan.Server.Tests.Access;

/// <summary>The last guard, over every answer of the contract: filled in every field, and cut by every category and by random sets of them.</summary>
public sealed class RedactionTests
{
    public static TheoryData<string> Answers => [.. World.Methods.Select(method => method.OutputType.FullName).Distinct()];

    [Theory]
    [MemberData(nameof(Answers))]
    public void What_is_not_permitted_goes_and_what_is_permitted_stays(string answer)
    {
        var type = World.Methods.First(method => method.OutputType.FullName == answer).OutputType;
        var random = new Random(7);
        Categories[] sets = [Categories.None, (Categories)~0, .. Enumerable.Range(1, 30).Select(bit => (Categories)(1 << bit)), .. Enumerable.Range(0, 200).Select(_ => (Categories)random.Next())];
        foreach (var permitted in sets)
        {
            var full = Filled(type);
            var redacted = Filled(type);
            Redaction.Apply(redacted, permitted);
            Compare(full, redacted, permitted);
        }
    }

    /// <summary>A document is handed out whole or not at all, and what lists nothing is not taken to hold nothing.</summary>
    [Fact]
    public void What_holds_several_categories_goes_unless_all_of_them_are_permitted()
    {
        Assert.Equal((true, Held), After(Held | Categories.Meetings));
        Assert.Equal((true, Held), After(Held));
        Assert.Equal((false, Categories.None), After(Held & ~Categories.Health));
        Assert.Equal((false, Categories.None), After(Categories.Existence));
        Assert.Equal((false, Categories.None), After(Held, listsNothing: true));

        static (bool IsThere, Categories Held) After(Categories permitted, bool listsNothing = false)
        {
            var answer = new IssueCopyResponse { Document = new() { Content = ByteString.CopyFrom(1), Categories = { CategorySets.ToList(listsNothing ? Categories.None : Held) } } };
            Redaction.Apply(answer, permitted);
            return (!answer.Document.Content.IsEmpty, Redaction.HeldIn(answer));
        }
    }

    private const Categories Held = Categories.Existence | Categories.Health | Categories.Identity;

    /// <summary>A message that is kept is never an empty shell: it holds a field of the category that it is kept for.</summary>
    [Theory]
    [MemberData(nameof(Answers))]
    public void What_is_dropped_leaves_no_shell(string answer) =>
        Visit(World.Methods.First(method => method.OutputType.FullName == answer).OutputType, [], field =>
            Assert.True(
                !Redaction.IsLookedInto(field) || field.MessageType.Fields.InDeclarationOrder().Any(inner => Redaction.CategoryOf(inner) == Redaction.CategoryOf(field)),
                $"{field.FullName} is kept for a category that nothing in it has"));

    private static void Visit(MessageDescriptor message, HashSet<MessageDescriptor> seen, Action<FieldDescriptor> check)
    {
        if (seen.Add(message))
        {
            foreach (var field in message.Fields.InDeclarationOrder())
            {
                check(field);
                if (Redaction.IsLookedInto(field))
                {
                    Visit(field.MessageType, seen, check);
                }
            }
        }
    }

    private static void Compare(IMessage full, IMessage redacted, Categories permitted)
    {
        foreach (var field in full.Descriptor.Fields.InDeclarationOrder())
        {
            var (before, after) = (field.Accessor.GetValue(full), field.Accessor.GetValue(redacted));
            if ((Redaction.CategoryOf(field) & permitted) == Categories.None)
            {
                Assert.True(IsUnset(field, redacted, after), $"{field.FullName} was left with {permitted}");
            }
            else if (field.GetOptions()?.GetExtension(OptionsExtensions.CategoriesIn) is { Length: > 0 } list
                && full.Descriptor.FindFieldByName(list).Accessor.GetValue(full) is IEnumerable<InformationCategory> held
                && !held.All(category => permitted.HasFlag((Categories)(1 << (int)category))))
            {
                // It holds several categories, and one of them is not permitted.
                Assert.True(IsUnset(field, redacted, after), $"{field.FullName} was left with {permitted}");
            }
            else if (!Redaction.IsLookedInto(field))
            {
                Assert.Equal(before, after);
            }
            else if (field.IsRepeated)
            {
                Assert.Equal(((IList)before).Count, ((IList)after).Count);
                Compare((IMessage)((IList)before)[0]!, (IMessage)((IList)after)[0]!, permitted);
            }
            else
            {
                Compare((IMessage)before, (IMessage)after, permitted);
            }
        }
    }

    private static bool IsUnset(FieldDescriptor field, IMessage message, object? value) => value switch
    {
        _ when field.HasPresence => !field.Accessor.HasValue(message),
        IList list => list.Count == 0,
        string text => text.Length == 0,
        ByteString bytes => bytes.IsEmpty,
        _ => Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture) == 0,
    };

    private static IMessage Filled(MessageDescriptor type, int depth = 0)
    {
        var message = type.Parser.ParseFrom(ByteString.Empty);
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            object value = field.FieldType switch
            {
                FieldType.Message => Filled(field.MessageType, depth + 1),
                FieldType.String => "text",
                FieldType.Bytes => ByteString.CopyFrom(1, 2),
                FieldType.Bool => true,
                FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, 1),
                FieldType.Int32 => 3,
                FieldType.Int64 => 4L,
                FieldType.UInt32 => 5u,
                FieldType.UInt64 => 6ul,
                FieldType.Double => 7.0,
                _ => throw new NotSupportedException($"{field.FullName}: the test fills no {field.FieldType}"),
            };
            if (field.IsRepeated)
            {
                ((IList)field.Accessor.GetValue(message)).Add(value);
            }
            else
            {
                field.Accessor.SetValue(message, value);
            }
        }

        Assert.True(depth < 8, "messages nest without end");
        return message;
    }
}
