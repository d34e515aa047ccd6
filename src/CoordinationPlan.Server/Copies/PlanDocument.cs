using System.Globalization;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Copies;

/// <summary>What a copy is made of: messages as an answer would hold them, after what the permit does not list has been dropped from them.</summary>
/// <param name="DisplayNames">What the directory's entries are called, by resource name.</param>
/// <param name="Issuer">
/// The employee who hands the person a copy. A unit's own copy does not say who made it: what a sheltered housing's contact person is called can say where
/// the person is.
/// </param>
internal sealed record CopyContents(Plan Plan, IReadOnlyList<Meeting> Meetings, string Issuer, DateOnly Today, IReadOnlyDictionary<string, string> DisplayNames)
{
    /// <summary>Everybody of the directory whom the document names.</summary>
    public HashSet<string> Named =>
    [
        Issuer, Plan.OwningUnit, Plan.Coordinator, Plan.LeadPrincipal,
        .. Plan.Interventions.SelectMany(intervention => new[] { intervention.ResponsibleUnit, intervention.ContactPerson }),
        .. Plan.Participations.Select(participation => participation.Unit),
        .. Meetings.SelectMany(meeting => meeting.Calls).Select(call => call.Unit),
    ];

    public string IssuedBy => NameOf(Issuer);

    /// <summary>What an entry is called; empty for none and for one that has no name here.</summary>
    public string NameOf(string resource) => DisplayNames.TryGetValue(resource, out var name) ? name : "";
}

/// <summary>
/// What a copy says, in plain Swedish: to the person as "du", to a unit about the person. Where something is empty, or was dropped, nothing is said of it.
/// </summary>
internal sealed class PlanDocument
{
    /// <summary>Stands in the file's properties, and names nobody.</summary>
    public const string Title = "Samordnad individuell plan";

    private readonly CopyContents _contents;
    private readonly CopyRecord _copy;
    private readonly List<Block> _blocks = [];
    private int _missing;

    private PlanDocument(CopyContents contents, CopyRecord copy) => (_contents, _copy) = (contents, copy);

    private Plan Plan => _contents.Plan;

    private bool IsForPerson => _copy.Receiver == CopyReceiver.ThePerson;

    /// <summary>The document, and how many characters of its texts it cannot show.</summary>
    public static (DocumentContent Document, int Missing) Of(CopyContents contents, CopyRecord copy)
    {
        var document = new PlanDocument(contents, copy);
        document.AddTop();
        document.AddPersonsSide();
        document.AddGoals();
        document.AddInterventions();
        document.AddOtherMeasures();
        document.AddResponsibility();
        document.AddMeetings();
        document.AddParticipants();
        document.AddContacts();
        document.AddAboutTheCopy();
        return (new DocumentContent(Title, $"{Title} · {document.CopyNumber}", copy.IssuedAt, document._blocks), document._missing);
    }

    private string CopyNumber =>
        string.Create(CultureInfo.InvariantCulture, $"{(_copy.Revision == 0 ? "" : $"version {_copy.Revision} · ")}kopia {_copy.Number}");

    private void AddTop()
    {
        Add(new Heading(1, Title));
        AddFacts(
            (IsForPerson ? "Planen är för" : "Planen gäller", Person()),
            ("Version", Version()),
            ("Läge", PlainSwedish.Of(Plan.State, IsForPerson)),
            ("Varför", Why()),
            ("Ärendenummer", IsForPerson ? "" : Plan.CaseNumber),
            ("Kopia", string.Create(CultureInfo.InvariantCulture, $"nummer {_copy.Number}, utlämnad {PlainSwedish.Of(_contents.Today)}")),
            ("Utlämnad av", _contents.IssuedBy));
    }

    /// <summary>A paper that is lost says less without the number, which the person knows.</summary>
    private string Person()
    {
        if (Plan.Subject is not { } person)
        {
            return "";
        }

        var name = $"{person.GivenName} {person.FamilyName}";
        return IsForPerson || person.IdentityNumber is not { Value.Length: 12 } number ? name : $"{name}, {number.Value[..8]}-{number.Value[8..]}";
    }

    private string Version() => _copy.Revision switch
    {
        > 0 => string.Create(CultureInfo.InvariantCulture, $"{_copy.Revision}, fastställd {PlainSwedish.Of(Plan.EstablishedDate)}"),
        _ when Plan.Revision == 0 => $"så som planen såg ut {PlainSwedish.Of(_contents.Today)}. Den är inte fastställd, så det som står här kan ändras.",
        _ => string.Create(
            CultureInfo.InvariantCulture,
            $"så som planen såg ut {PlainSwedish.Of(_contents.Today)}. Senast fastställd {PlainSwedish.Of(Plan.EstablishedDate)}, som version {Plan.Revision}."),
    };

    private string Why() => Plan switch
    {
        { ClosingReason: not PlanClosingReason.Unspecified } => PlainSwedish.Of(Plan.ClosingReason, IsForPerson),
        { DeclineReason: not PlanDeclineReason.Unspecified } => PlainSwedish.Of(Plan.DeclineReason, IsForPerson),
        _ => "",
    };

    private void AddPersonsSide()
    {
        AddSection(IsForPerson ? "Vad är viktigt för dig?" : "Vad är viktigt för personen?", Plan.WhatMatters);
        AddSection(IsForPerson ? "Det du själv säger" : "Barnets egna ord", Plan.ChildsOwnWords);
        AddSection(IsForPerson ? "Det du behöver" : "Behov", Plan.Needs);
        AddSection(IsForPerson ? "Det du har och gör själv" : "Egna resurser", Plan.Resources);
        AddSection(IsForPerson ? "Din situation" : "Situationen", Plan.SocialSituation);
        AddSection(IsForPerson ? "Din hälsa" : "Hälsan", Plan.HealthSituation);
    }

    private void AddGoals()
    {
        AddHeading("Mål", Plan.Goals.Count > 0);
        foreach (var goal in Plan.Goals)
        {
            Add(new Heading(3, goal.Title));
            Add(new Paragraph(goal.OwnWords.Length == 0 ? "" : $"”{goal.OwnWords}”"));
            Add(new Paragraph(goal.Description));
            AddFacts(
                ("Sikt", PlainSwedish.Of(goal.Horizon)),
                ("När", goal.TargetDate is null ? "" : "senast " + PlainSwedish.Of(goal.TargetDate)),
                ("Läge", PlainSwedish.Of(goal.State)),
                ("Hur det gick", goal.Outcome));
        }
    }

    private void AddInterventions()
    {
        AddHeading("Insatser: vad, vem och när", Plan.Interventions.Count > 0);
        var goals = Plan.Goals.ToDictionary(goal => goal.Name, goal => goal.Title, StringComparer.Ordinal);
        foreach (var intervention in Plan.Interventions)
        {
            Add(new Heading(3, intervention.Title));
            Add(new Paragraph(intervention.Description));
            AddFacts(
                ("Vem", _contents.NameOf(intervention.ResponsibleUnit)),
                ("Kontaktperson", _contents.NameOf(intervention.ContactPerson)),
                ("När", PlainSwedish.Of(intervention.Period)),
                ("För målet", string.Join("\n", intervention.Goals.Where(goals.ContainsKey).Select(goal => goals[goal]))),
                ("Läge", PlainSwedish.Of(intervention.State)),
                ("Hur det gick", intervention.Outcome));
        }
    }

    private void AddOtherMeasures()
    {
        AddHeading("Andras åtgärder", Plan.OtherMeasures.Count > 0 || Plan.NoOtherMeasures);
        Add(new Paragraph(Plan is { NoOtherMeasures: true, OtherMeasures.Count: 0 } ? "Ingen annan behöver göra något." : ""));
        foreach (var measure in Plan.OtherMeasures)
        {
            Add(new Heading(3, measure.Title));
            Add(new Paragraph(measure.Description));
            AddFacts(("Vem", measure.TakenBy), ("Läge", PlainSwedish.Of(measure.State)), ("Hur det gick", measure.Outcome));
        }
    }

    private void AddResponsibility()
    {
        AddSection("Vem har det övergripande ansvaret?", _contents.NameOf(Plan.LeadPrincipal) is { Length: > 0 } principal ? $"{principal} har det övergripande ansvaret för planen." : "");
        AddSection("Uppföljning", Plan.FollowUpDate is null ? "" : $"Planen ska följas upp {PlainSwedish.Of(Plan.FollowUpDate)}.");
    }

    private void AddMeetings()
    {
        AddHeading("Möten", _contents.Meetings.Count > 0);
        foreach (var meeting in _contents.Meetings)
        {
            Add(new Heading(3, $"{PlainSwedish.Of(meeting.Kind)}, {PlainSwedish.Of(meeting.StartTime)}"));
            AddFacts(
                ("Läge", PlainSwedish.Of(meeting.State)),
                ("Hur", PlainSwedish.Of(meeting.Form)),
                ("Var", meeting.Place),
                ("Att prata om", meeting.Agenda),
                ("Vad som sades", meeting.Minutes),
                ("Vad som bestämdes", meeting.Decisions));
            var isHeld = meeting.State == MeetingState.Held;
            Add(new Table(
                ["Verksamhet", isHeld ? "Närvaro" : "Svar"],
                [
                    .. from call in meeting.Calls
                       let unit = _contents.NameOf(call.Unit)
                       where unit.Length > 0
                       select (string[])[unit, isHeld ? PlainSwedish.Of(call.Attendance) : PlainSwedish.Of(call.Reply)],
                ]));
        }
    }

    private void AddParticipants()
    {
        var units = Plan.Participations.Where(participation => !participation.Ended).Select(participation => participation.Unit).Prepend(Plan.OwningUnit)
            .Select(_contents.NameOf).Where(unit => unit.Length > 0).Distinct().ToList();
        AddHeading("Vilka deltar i planen?", units.Count > 0);
        Add(ItemList.Bullets(units));
        AddHeading("Andra planer", Plan.RelatedPlans.Count > 0);
        Add(ItemList.Bullets(Plan.RelatedPlans.Select(related =>
            $"{PlainSwedish.Of(related.Kind)}: {related.Owner}{(related.State == ItemState.Active ? "" : ", gäller inte längre")}")));
    }

    private void AddContacts()
    {
        var contacts = Plan.Interventions.Where(intervention => intervention.State == ItemState.Active)
            .Select(intervention => (Who: _contents.NameOf(intervention.ContactPerson), About: $"om {intervention.Title}"))
            .Prepend((Who: _contents.NameOf(Plan.Coordinator), About: "om hela planen"))
            .Where(contact => contact.Who.Length > 0).ToList();
        if (contacts.Count == 0 && _contents.NameOf(Plan.OwningUnit) is { Length: > 0 } owner)
        {
            contacts.Add((owner, "om hela planen"));
        }

        AddHeading(IsForPerson ? "Vem du kan kontakta" : "Kontaktpersoner", contacts.Count > 0);
        Add(ItemList.Bullets(contacts.GroupBy(contact => contact.Who).Select(contact => $"{contact.Key} ({string.Join(", ", contact.Select(each => each.About))})")));
    }

    private void AddAboutTheCopy()
    {
        Add(new Heading(2, "Om den här kopian"));
        Add(new Paragraph(IsForPerson
            ? "Kopian är din. Förvara den där ingen annan läser den. När planen ändras gäller den nya versionen, och du kan få en ny kopia."
            : "Kopian visar det som verksamheten får ta del av. När planen ändras gäller den nya versionen."));
        if (_missing > 0)
        {
            Add(new Paragraph($"Tecknet {DocumentFont.Missing} står för bokstäver eller tecken som inte kan visas i det här dokumentet. De finns i planen."));
        }

        Add(new Paragraph($"Kopians beteckning: {_copy.CopyId:N}", IsAside: true));
    }

    private void AddSection(string heading, string text)
    {
        AddHeading(heading, text.Length > 0);
        Add(new Paragraph(text));
    }

    private void AddHeading(string text, bool isThere)
    {
        if (isThere)
        {
            Add(new Heading(2, text));
        }
    }

    private void AddFacts(params IEnumerable<(string Label, string Text)> facts) => Add(ItemList.Facts(facts));

    /// <summary>Every text goes through here, so that none loses a character unseen.</summary>
    private void Add(Block block) => _blocks.Add(block switch
    {
        Heading heading => heading with { Text = Shown(heading.Text) },
        Paragraph paragraph => paragraph with { Text = Shown(paragraph.Text) },
        ItemList list => list with { Items = [.. list.Items.Select(item => (item.Label, Shown(item.Text)))] },
        Table table => table with { Rows = [.. table.Rows.Select(row => (IReadOnlyList<string>)[.. row.Select(Shown)])] },
        _ => throw new InvalidOperationException("A block of an unknown kind."),
    });

    private string Shown(string text) => DocumentFont.Showable(text, ref _missing);
}
