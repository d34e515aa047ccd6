using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Client;

/// <summary>The service's clients for one caller.</summary>
public sealed class CoordinationPlanClients
{
    internal CoordinationPlanClients(CallInvoker invoker)
    {
        Invoker = invoker;
        Plans = new(invoker);
        Participations = new(invoker);
        ParticipationSync = new(invoker);
        Consents = new(invoker);
        Meetings = new(invoker);
        Risk = new(invoker);
        Schooling = new(invoker);
        Discharge = new(invoker);
        Suggestions = new(invoker);
        Copies = new(invoker);
        Protection = new(invoker);
        Releases = new(invoker);
        Disclosures = new(invoker);
        EmergencyAccess = new(invoker);
        Oversight = new(invoker);
        AccessLog = new(invoker);
        Directory = new(invoker);
        Indicators = new(invoker);
        Routines = new(invoker);
        Audit = new(invoker);
        Changes = new(invoker);
    }

    /// <summary>Plans and their contents.</summary>
    public PlanService.PlanServiceClient Plans { get; }

    /// <summary>Which units take part.</summary>
    public ParticipationService.ParticipationServiceClient Participations { get; }

    /// <summary>What regions' systems say of who takes part.</summary>
    public ParticipationSyncService.ParticipationSyncServiceClient ParticipationSync { get; }

    /// <summary>Consents.</summary>
    public ConsentService.ConsentServiceClient Consents { get; }

    /// <summary>Meetings about a plan.</summary>
    public MeetingService.MeetingServiceClient Meetings { get; }

    /// <summary>Risk assessments.</summary>
    public RiskService.RiskServiceClient Risk { get; }

    /// <summary>School for children in sheltered housing.</summary>
    public SchoolingService.SchoolingServiceClient Schooling { get; }

    /// <summary>Discharge from inpatient care.</summary>
    public DischargeService.DischargeServiceClient Discharge { get; }

    /// <summary>Suggestions of plans.</summary>
    public SuggestionService.SuggestionServiceClient Suggestions { get; }

    /// <summary>Copies of a plan as documents.</summary>
    public CopyService.CopyServiceClient Copies { get; }

    /// <summary>Protection level, blocks, location secrecy, whereabouts.</summary>
    public ProtectionService.ProtectionServiceClient Protection { get; }

    /// <summary>Releases on legal ground.</summary>
    public ReleaseService.ReleaseServiceClient Releases { get; }

    /// <summary>Documents that leave for receivers outside a plan.</summary>
    public DisclosureService.DisclosureServiceClient Disclosures { get; }

    /// <summary>Emergency access.</summary>
    public EmergencyAccessService.EmergencyAccessServiceClient EmergencyAccess { get; }

    /// <summary>Who can read, what must be heard of, what is to be done.</summary>
    public OversightService.OversightServiceClient Oversight { get; }

    /// <summary>The access log.</summary>
    public AccessLogService.AccessLogServiceClient AccessLog { get; }

    /// <summary>Organisations, units, employees, assignments.</summary>
    public DirectoryService.DirectoryServiceClient Directory { get; }

    /// <summary>Counts for follow-up.</summary>
    public IndicatorService.IndicatorServiceClient Indicators { get; }

    /// <summary>The boards' routines for schooling.</summary>
    public SchoolRoutineService.SchoolRoutineServiceClient Routines { get; }

    /// <summary>Proofs that the access log is complete.</summary>
    public AuditService.AuditServiceClient Audit { get; }

    /// <summary>What changes, for systems that keep their own data in step.</summary>
    public ChangeFeedService.ChangeFeedServiceClient Changes { get; }

    /// <summary>What the clients call through, for calls that are made by descriptor.</summary>
    public CallInvoker Invoker { get; }
}
