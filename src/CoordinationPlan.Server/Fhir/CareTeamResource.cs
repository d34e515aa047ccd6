using CoordinationPlan.V1;
using Hl7.Fhir.Model;
using static CoordinationPlan.Server.Fhir.FhirElements;

namespace CoordinationPlan.Server.Fhir;

/// <summary>Who takes part in a plan, as a CareTeam: the units whose part has not been ended. docs/fhir.md lists which field becomes which element.</summary>
internal static class CareTeamResource
{
    public static CareTeam Of(Plan plan) => new()
    {
        Id = CarePlanId(plan.Name),
        Meta = Meta(VersionOf(plan)),
        Status = plan.State is PlanState.Closed or PlanState.Refused or PlanState.Declined ? CareTeam.CareTeamStatus.Inactive : CareTeam.CareTeamStatus.Active,
        Subject = PersonOrNull(plan.Subject),
        ManagingOrganization = [FhirSystems.ToEntry(plan.OwningUnit)],
        Participant = [.. TakingPart(plan).Select(ToParticipant)],
    };

    /// <summary>
    /// What a PUT makes of it: one unit that is brought in, or one whose part is ended. Null where the team is as the body says. A PUT is one change of the contract
    /// with one request id, so that it is done whole or not at all; and it changes nothing but who takes part.
    /// </summary>
    /// <exception cref="FhirFault">The body asks for something else.</exception>
    public static TeamChange? Change(Plan plan, CareTeam body)
    {
        var current = Of(plan);
        var participants = body.Participant;
        foreach (var member in participants.Select(participant => participant.Member).OfType<ResourceReference>())
        {
            // A system need not say what kind of thing a unit is.
            member.Type ??= "Organization";
        }

        if (!Frame(body).IsExactly(Frame(current)))
        {
            throw FhirFault.Unprocessable("Only participants of a CareTeam can be changed here; everything else must be as it was read.");
        }

        var taking = TakingPart(plan).ToDictionary(participation => LastOf(participation.Name));
        var added = participants.Where(participant => participant.ElementId is null).ToList();
        var kept = participants.Where(participant => participant.ElementId is not null).ToList();
        if (kept.Select(participant => participant.ElementId).Distinct().Count() != kept.Count
            || kept.Any(participant => !taking.TryGetValue(participant.ElementId!, out var was) || !ToParticipant(was).IsExactly(participant)))
        {
            throw FhirFault.Unprocessable("A participant with an id must be as it was read: to change one, end it and add a new one.");
        }

        var ended = taking.Keys.Except(kept.Select(participant => participant.ElementId!)).Select(id => taking[id]).ToList();

        // The same PUT sent again: the unit that it brings in takes part already, just so.
        if (added is [{ } again] && ended.Count == 1 && ToParticipant(ended[0]) is var same && (same.ElementId = null) is null && same.IsExactly(again))
        {
            return null;
        }

        return (added, ended) switch
        {
            ([], []) => null,
            ([var participant], []) => new TeamChange(ToParticipation(participant), null),
            ([], [var participation]) => new TeamChange(null, participation),
            _ => throw FhirFault.Unprocessable("One participant is added or ended at a time."),
        };
    }

    private static IEnumerable<Participation> TakingPart(Plan plan) => plan.Participations.Where(participation => !participation.Ended);

    /// <summary>Of those that have ended too, so that no version comes again. Of the plan only what is shown: its etag changes with what is hidden.</summary>
    public static string VersionOf(Plan plan) =>
        VersionIds.Of(plan.Participations.Select(participation => (participation.Name, participation.Etag)).Prepend((plan.Name, $"{plan.State} {plan.OwningUnit} {plan.Subject is not null}")));

    private static CareTeam.ParticipantComponent ToParticipant(Participation participation) => new()
    {
        ElementId = LastOf(participation.Name),
        Member = FhirSystems.ToEntry(participation.Unit),
        Period = PeriodOf(participation.Period),
    };

    private static Participation ToParticipation(CareTeam.ParticipantComponent participant)
    {
        var unit = FhirSystems.EntryOf(Rpc.ResourceName.Units, participant.Member?.Identifier?.System, participant.Member?.Identifier?.Value);
        var period = participant.Period;
        var same = unit is null ? null : new CareTeam.ParticipantComponent { Member = FhirSystems.ToEntry(unit), Period = period };
        if (same is null || !same.IsExactly(participant) || DayOf(period?.Start) is not { } start || (period?.End is not null && DayOf(period.End) is null))
        {
            throw FhirFault.Unprocessable("A new participant has a member with an identifier of a unit, and a period of whole days with a start, and nothing else.");
        }

        return new Participation { Unit = unit, Period = new DatePeriod { StartDate = start, EndDate = DayOf(period?.End) } };
    }

    /// <summary>All but the participants and what every server says in its own way.</summary>
    private static CareTeam Frame(CareTeam team)
    {
        var frame = (CareTeam)team.DeepCopy();
        (frame.Participant, frame.Meta, frame.Text) = ([], null, null);
        return frame;
    }

    private static string LastOf(string name) => name[(name.LastIndexOf('/') + 1)..];
}

/// <summary>What a PUT changes: one unit that is brought in, or one participation that is ended.</summary>
internal sealed record TeamChange(Participation? Added, Participation? Ended);
