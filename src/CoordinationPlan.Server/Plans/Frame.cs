using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace CoordinationPlan.Server.Plans;

/// <summary>The changeable fields of a plan's own: references and dates as columns, texts as parts by category.</summary>
internal sealed record Frame(string? LeadPrincipal, string? Coordinator, Plan Plan)
{
    /// <summary>The categories that have a part of the frame's own, with the paths of its texts. Who the person is, only ReplaceIdentity changes.</summary>
    private static readonly Dictionary<Categories, string[]> Texts = new()
    {
        [Categories.Identity] = ["subject"],
        [Categories.Meetings] = ["case_number"],
        [Categories.SocialSituation] = ["social_situation"],
        [Categories.Health] = ["health_situation"],
        [Categories.GoalsAndInterventions] = ["what_matters", "needs", "resources"],
        [Categories.ChildsOwnWords] = ["childs_own_words"],
    };

    /// <summary>The paths that an update mask can list.</summary>
    public static readonly string[] AllPaths = ["coordinator", "lead_principal", "no_other_measures", "follow_up_date", .. Texts.Values.SelectMany(paths => paths).Except(["subject"])];

    public static Frame Parse(Plan plan, DirectoryNames names) => new(
        names.ParseOptional(plan.LeadPrincipal, ResourceName.Organisations, "plan.lead_principal"),
        names.ParseOptional(plan.Coordinator, ResourceName.Employees, "plan.coordinator"),
        plan);

    /// <summary>Refuses references to what is not there. The lead principal is one of the two principals of the law.</summary>
    public void Require(FrameReferences references)
    {
        if (LeadPrincipal is not null && references.LeadPrincipalKind is not (OrganisationKind.Municipality or OrganisationKind.Region))
        {
            throw Errors.UnknownReference("plan.lead_principal", "must be a municipality or a region in the directory (SoL 10 kap. 8 §, HSL 16 kap. 4 §)");
        }

        if (Coordinator is not null && !references.CoordinatorWorksThere)
        {
            throw Errors.UnknownReference("plan.coordinator", "must be an employee with an assignment in the owning unit");
        }
    }

    /// <summary>
    /// A participant that may write its own category only is refused like any other, before it learns whether its etag is current.
    /// </summary>
    public static void RequireWritable(FieldMask mask, Categories writable)
    {
        foreach (var path in mask.Paths)
        {
            if ((CategoryOf(path) & writable) == Categories.None)
            {
                throw Errors.AccessDenied();
            }
        }
    }

    public PlanRecord ApplyTo(PlanRecord record, IReadOnlyCollection<string> paths) => record with
    {
        LeadPrincipal = paths.Contains("lead_principal") ? LeadPrincipal : record.LeadPrincipal,
        Coordinator = paths.Contains("coordinator") ? Coordinator : record.Coordinator,
        NoOtherMeasures = paths.Contains("no_other_measures") ? Plan.NoOtherMeasures : record.NoOtherMeasures,
        FollowUpOn = paths.Contains("follow_up_date") ? Plan.FollowUpDate?.ToDateOnly() : record.FollowUpOn,
    };

    /// <summary>The parts of a new plan.</summary>
    public static IEnumerable<PlanPart> PartsOf(Plan plan, DataKey key) => Texts.Keys
        .Select(category => (Category: category, Body: Merged(new Plan(), plan, Texts[category])))
        .Where(part => part.Body.CalculateSize() > 0)
        .Select(part => NewPart(part.Category, part.Body, key));

    /// <summary>The parts after an update; the ones that change are inserted or replaced.</summary>
    public static List<PlanPart> Update(List<PlanPart> parts, Plan changes, FieldMask mask, DataKey key, Action<PlanPart> insert, Action<PlanPart> replace)
    {
        var next = new List<PlanPart>();
        foreach (var (category, paths) in Texts)
        {
            var part = parts.Find(part => part.Category == category);
            var changed = paths.Where(mask.Paths.Contains).ToList();
            if (changed.Count > 0)
            {
                var body = Merged(Opened(part, key), changes, changed);
                part = part is null ? NewPart(category, body, key) : part.Next(key, part.State, body.ToByteArray());
                (part.Version == 1 ? insert : replace)(part);
            }

            if (part is not null)
            {
                next.Add(part);
            }
        }

        return next;
    }

    /// <summary>The part that holds the case number, with the decision that a refusal of the plan is documented in; of version 1 where it is new.</summary>
    public static PlanPart WithDeclineReference(List<PlanPart> parts, string reference, DataKey key)
    {
        var part = parts.Find(part => part.Category == Categories.Meetings);
        var body = Opened(part, key);
        body.DeclineReference = reference;
        return part is null ? NewPart(Categories.Meetings, body, key) : part.Next(key, part.State, body.ToByteArray());
    }

    private static Categories CategoryOf(string path) => Redaction.CategoryOf(V1.Plan.Descriptor.FindFieldByName(path));

    private static PlanPart NewPart(Categories category, Plan body, DataKey key) => PlanPart.New(key, PartKind.Frame, category, null, body.ToByteArray());

    private static Plan Opened(PlanPart? part, DataKey key) => part is null ? new Plan() : (Plan)Stored<Plan>.Parser.ParseFrom(part.Open(key));

    /// <summary>A part's body with some of its texts taken from a plan.</summary>
    private static Plan Merged(Plan body, Plan changes, IEnumerable<string> paths)
    {
        new FieldMask { Paths = { paths } }.Merge(changes, body, new FieldMask.MergeOptions { ReplaceMessageFields = true, ReplacePrimitiveFields = true });
        return body;
    }
}
