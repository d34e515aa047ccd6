using System.Globalization;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Hl7.Fhir.Model;
using Date = Google.Type.Date;
using Period = Hl7.Fhir.Model.Period;

namespace CoordinationPlan.Server.Fhir;

/// <summary>Values that every mapping needs. What is not told stays out: no element says that something is missing.</summary>
internal static class FhirElements
{
    /// <summary>
    /// The same on every resource, whoever asks and whoever it is about. A label by the person's protection level would tell by its absence that there is none.
    /// </summary>
    public static Meta Meta(string? versionId) => new()
    {
        VersionId = versionId,
        Security = [new Coding("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "V", "very restricted")],
    };

    /// <summary>A part of the resource is not in this answer, for everybody alike.</summary>
    public static Coding Subsetted { get; } = new("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "SUBSETTED");

    public static string? OrNull(string text) => text.Length == 0 ? null : text;

    public static string Day(Date date) => string.Create(CultureInfo.InvariantCulture, $"{date.Year:0000}-{date.Month:00}-{date.Day:00}");

    public static string? DayOrNull(Date? date) => date is null ? null : Day(date);

    /// <summary>A whole day; null for what is none.</summary>
    public static Date? DayOf(string? day) =>
        DateOnly.TryParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var found)
            ? new Date { Year = found.Year, Month = found.Month, Day = found.Day }
            : null;

    public static FhirDateTime? Moment(Timestamp? time) => time is null ? null : new FhirDateTime(time.ToDateTimeOffset());

    public static Period? PeriodOf(DatePeriod? period) => period is null ? null : new Period { Start = DayOrNull(period.StartDate), End = DayOrNull(period.EndDate) };

    /// <summary>Who the plan is about, where it is told; otherwise null.</summary>
    public static ResourceReference? PersonOrNull(Subject? subject) => subject?.IdentityNumber is null ? null : new ResourceReference
    {
        Type = "Patient",
        Identifier = FhirSystems.Of(subject.IdentityNumber),
        Display = $"{subject.GivenName} {subject.FamilyName}".Trim(),
    };

    /// <summary>For elements that FHIR demands: who the plan is about, or the same words for whoever it is.</summary>
    public static ResourceReference Person(Subject? subject) => PersonOrNull(subject) ?? new ResourceReference { Type = "Patient", Display = "Den enskilde" };

    public static ResourceReference To(string type, string id) => new($"{type}/{id}");

    public static string CarePlanId(string plan) => plan["plans/".Length..];

    /// <summary>A consent's id holds its plan's, because that is how it is found: 64 hexadecimal digits, which is as long as an id may be.</summary>
    public static string ConsentId(string consent)
    {
        var parts = consent.Split('/');
        return (parts[1] + parts[3]).Replace("-", "", StringComparison.Ordinal);
    }

    /// <summary>The plan and the consent that such an id names; null for any other.</summary>
    public static (string Plan, string Consent)? ConsentOf(string id) =>
        id.Length == 64 && Guid.TryParseExact(id[..32], "N", out var plan) && Guid.TryParseExact(id[32..], "N", out var consent)
            ? ($"plans/{plan:D}", $"plans/{plan:D}/consents/{consent:D}")
            : null;

    /// <summary>The plan that an id names; null for what is no id of a plan.</summary>
    public static string? PlanOf(string id) => id.Length == 36 && Guid.TryParseExact(id, "D", out var plan) ? $"plans/{plan:D}" : null;
}
