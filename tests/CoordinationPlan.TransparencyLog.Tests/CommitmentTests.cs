using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using CsCheck;

namespace CoordinationPlan.TransparencyLog.Tests;

/// <summary>What the log holds in place of a record, computed a second time here from its definition.</summary>
public sealed class CommitmentTests
{
    private static readonly Gen<(string Name, byte[]? Value)> AnyField = Gen.Select(
        Gen.Char['a', 'z'].Array[1, 6], Gen.Byte.Array[0, 40], Gen.Int[0, 3], (name, value, kind) => (new string(name), kind == 0 ? null : value));

    private static readonly Gen<(byte[] Secret, (string Name, byte[]? Value)[] Fields)> AnyRecord = Gen.Select(
        Gen.Byte.Array[32], AnyField.Array[0, 12], (secret, fields) => (secret, fields.DistinctBy(field => field.Name).ToArray()));

    [Fact]
    public void An_entry_is_what_the_definition_says() => AnyRecord.Sample(
        record =>
        {
            var fields = record.Fields.Select(field => Field(HMACSHA256.HashData(record.Secret, Encoding.UTF8.GetBytes(field.Name)), field.Name, field.Value)).ToArray();
            Assert.Equal([1, .. new NaiveTree(fields).Root(fields.Length)], Commitment.Entry(record.Secret, record.Fields));
        },
        iter: 1_000);

    [Fact]
    public void Whatever_is_shown_of_a_record_belongs_to_its_entry() => Gen.Select(AnyRecord, Gen.Int).Sample(
        (record, shown) =>
        {
            var entry = Commitment.Entry(record.Secret, record.Fields);
            var names = record.Fields.Where((_, i) => ((shown >> i) & 1) == 1).Select(field => field.Name).ToList();

            var disclosure = Commitment.Disclose(record.Secret, record.Fields, names.Contains);

            Assert.Equal(entry, disclosure.Entry());
            Assert.Equal(TreeHash.OfLeaf(entry), disclosure.Leaf());
            Assert.Equal(names, disclosure.Fields.OfType<RevealedField>().Select(field => field.Name));
            Assert.Equal(record.Fields.Length - names.Count, disclosure.Fields.OfType<HiddenField>().Count());
        },
        iter: 1_000);

    [Fact]
    public void Whatever_differs_has_another_entry()
    {
        byte[] secret = new byte[32];
        (string, byte[]?)[][] records =
        [
            [("a", [1])], [("a", [2])], [("b", [1])], [("a", null)], [("a", [])], [("a", [0])], [("a1", [])], [("a", [1]), ("b", [2])], [("b", [2]), ("a", [1])], [("ab", [1, 2])], [],
        ];

        Assert.Equal(records.Length, records.Select(record => Convert.ToHexString(Commitment.Entry(secret, record))).Distinct().Count());
    }

    [Fact]
    public void A_secret_of_another_length_and_two_fields_of_one_name_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Commitment.Entry(new byte[31], [("a", [1])]));
        Assert.Throws<ArgumentException>(() => Commitment.Entry(new byte[32], [("a", [1]), ("a", [2])]));
        Assert.Throws<FormatException>(() => new Disclosure([new RevealedField("a", [1], new byte[31])]).Entry());
        Assert.Throws<FormatException>(() => new Disclosure([new RevealedField("a", [1], new byte[32]), new RevealedField("a", [2], new byte[32])]).Entry());
    }

    private static byte[] Field(byte[] salt, string name, byte[]? value)
    {
        var text = Encoding.UTF8.GetBytes(name);
        return SHA256.HashData([0, .. salt, .. Length(text.Length), .. text, value is null ? (byte)0 : (byte)1, .. Length(value?.Length ?? 0), .. value ?? []]);
    }

    private static byte[] Length(int length)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)length);
        return bytes;
    }
}
