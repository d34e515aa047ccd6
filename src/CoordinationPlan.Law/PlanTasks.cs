using static CoordinationPlan.Law.Duty;

namespace CoordinationPlan.Law;

/// <summary>What there can be to do. Names and numbers are those of the contract's TaskKind; a test compares them.</summary>
public enum Duty
{
    Unspecified = 0,
    ReviewLocationSecrecy = 1,
    ReviewBlock = 2,
    ReviewRelease = 3,
    ReviewEmergencyAccess = 4,
    FindOutProtectionLevel = 5,
    BeginPlan = 6,
    FollowUpPlan = 7,
    RenewConsent = 8,
    AssessRisk = 9,
    ReassessRisk = 10,
    RecordMeeting = 11,
    SummonForDischarge = 12,
    AnswerCall = 13,
    AttendMeeting = 14,
    DoIntervention = 15,
    BlockEnds = 16,
    AnswerSuggestion = 20,
    CoordinatePlans = 21,
    SecureSchooling = 22,
    FollowUpSchooling = 23,
    ReviewSchooling = 24,
    HandoverFirstStep = 25,
    HandoverSecondStep = 26,
    LookAtAttendance = 27,
    AcknowledgeRecall = 28,
    LookAtDelivery = 29,
    AnswerSyncedParticipation = 30,
    SettleSyncConflict = 31,
}

/// <summary>Where a task stands. Names and numbers are those of the contract's TaskState; a test compares them.</summary>
public enum Progress
{
    Unspecified = 0,
    Due = 1,
    Overdue = 2,
    Done = 3,
}

/// <summary>How the days of one kind of task follow from the day of the fact behind it.</summary>
/// <param name="Day">Which day that is, in words.</param>
/// <param name="DoneBy">The fact by which it is done, in words; empty where none is kept.</param>
/// <param name="After">It is due so long after that day.</param>
/// <param name="Before">It is due so long before that day.</param>
/// <param name="ShownBefore">It is shown from so long before that day on; without it, as soon as the fact is there.</param>
/// <param name="Lapses">After that day there is nothing left to do.</param>
public sealed record TaskRule(Duty Duty, string Day, string DoneBy, Clock? After = null, Clock? Before = null, Clock? ShownBefore = null, bool Lapses = false)
{
    /// <summary>The same in days, with a controller's limits.</summary>
    public TaskWindow Window(Func<Clock, int> daysOf)
    {
        ArgumentNullException.ThrowIfNull(daysOf);
        return new(
            Duty,
            ShownBefore is null ? null : -daysOf(ShownBefore),
            (After is null ? 0 : daysOf(After)) - (Before is null ? 0 : daysOf(Before)),
            Lapses ? 0 : null);
    }
}

/// <summary>When a kind of task is shown, is due and is gone, in days from the day of its fact. Null: at any time.</summary>
public sealed record TaskWindow(Duty Duty, int? Opens, int Due, int? Closes);

/// <summary>A fact that there is, or was, something to do.</summary>
/// <param name="Day">The day that the rule counts from.</param>
/// <param name="Since">The first day on which there was anything to do, where that is not before every other day: it is neither shown nor due before it.</param>
/// <param name="DoneOn">The day it was done; null where it is not.</param>
public sealed record TaskFact(Duty Duty, DateOnly Day, DateOnly? Since = null, DateOnly? DoneOn = null);

/// <summary>Something to do or done.</summary>
public sealed record PlanTask(DateOnly DueOn, Progress Progress);

/// <summary>
/// What a unit has to do, of facts and the day and nothing else: nobody ticks a task off, the fact changes. SQL only collects the facts, and by the same windows those
/// that can matter on the day.
/// </summary>
public static class PlanTasks
{
    /// <summary>Every kind of task.</summary>
    public static IReadOnlyList<TaskRule> Rules { get; } =
    [
        new(ReviewLocationSecrecy, "the decision's review day", "the latest review"),
        new(ReviewBlock, "the block's review day", "the block is lifted, or the same is blocked anew"),
        new(ReviewRelease, "the release's review day", "the release is reviewed"),
        new(ReviewEmergencyAccess, "the day by which the access is to be reviewed", "the access is reviewed"),
        // Which decision found it out is not kept: the level can have been known, and changed.
        new(FindOutProtectionLevel, "the plan was opened", ""),
        new(BeginPlan, "the need was noted, or noted again", "the plan is being prepared, has met or is established", After: PlanLaw.Start),
        new(FollowUpPlan, "the plan's follow-up day", "a follow-up meeting has been held since the day was set"),
        new(RenewConsent, "the consent's last day", "the consent is renewed, or one that holds longer covers it", ShownBefore: PlanLaw.ConsentEnds, Lapses: true),
        new(AssessRisk, "the plan was opened", "the first assessment in the plan", After: PlanLaw.Risk),
        new(ReassessRisk, "the assessment's day for doing it again", "another assessment takes its place"),
        new(RecordMeeting, "the meeting", "how it went is recorded"),
        // The day is fixed by clock.discharge when the notice comes.
        new(SummonForDischarge, "the last day for the summons", "a meeting is called"),
        new(AnswerCall, "the meeting", "the unit has answered", Before: PlanLaw.Reply, Lapses: true),
        new(AttendMeeting, "the meeting", "the unit came", ShownBefore: PlanLaw.Meeting, Lapses: true),
        new(DoIntervention, "the intervention's last day; shown from its first", "the intervention is completed"),
        new(Duty.BlockEnds, "the block's last day", "the same is blocked anew and longer", ShownBefore: PlanLaw.BlockEnds, Lapses: true),
        new(AnswerSuggestion, "the suggestion was sent", "it is answered", After: PlanLaw.Start),
        // Which of the plans was closed for the other is not kept.
        new(CoordinatePlans, "the need was noted again elsewhere", "", After: PlanLaw.Start),
        new(SecureSchooling, "the child was placed", "an arrangement is secured", After: SchoolingLaw.Secured),
        new(FollowUpSchooling, "the arrangement's follow-up day", "another day is set once it has come, or the arrangement has ended"),
        // The day is fixed by clock.schooling_review, in months.
        new(ReviewSchooling, "six months after the placement or the latest review", "the arrangement is reviewed"),
        new(HandoverFirstStep, "the child has moved, or the arrangement was handed over", "the step is recorded", After: SchoolingLaw.Handover),
        new(HandoverSecondStep, "the child has moved, or the arrangement was handed over", "the step is recorded", After: SchoolingLaw.Handover),
        new(LookAtAttendance, "the last day of the latest week reported, where it shows a pattern", "a later report shows none"),
        // Shown when the time for the receipt, which is configured, has passed.
        new(AcknowledgeRecall, "the day by which the system was to confirm the recall", "the system has confirmed it"),
        // What was delivered is kept for a while only.
        new(LookAtDelivery, "the change was rejected, or a day has passed since it was put in order", ""),
        new(AnswerSyncedParticipation, "a system reported that a unit is to take part", "the owning unit has answered"),
        new(SettleSyncConflict, "a system reported otherwise than a person has decided", "the owning unit has answered"),
    ];

    /// <summary>The windows of every kind, with a controller's limits.</summary>
    public static IReadOnlyList<TaskWindow> Windows(Func<Clock, int> daysOf) => [.. Rules.Select(rule => rule.Window(daysOf))];

    /// <summary>The task that a fact is on a day; null where it is none.</summary>
    public static PlanTask? Of(TaskFact fact, TaskWindow window, DateOnly today)
    {
        ArgumentNullException.ThrowIfNull(fact);
        ArgumentNullException.ThrowIfNull(window);
        var due = NotBefore(fact.Since, fact.Day.AddDays(window.Due));
        if (fact.DoneOn is not null)
        {
            return new(due, Progress.Done);
        }

        var isShown = today >= NotBefore(fact.Since, window.Opens is { } opens ? fact.Day.AddDays(opens) : DateOnly.MinValue);
        var isLeft = window.Closes is not { } closes || today <= fact.Day.AddDays(closes);
        return isShown && isLeft ? new(due, today > due ? Progress.Overdue : Progress.Due) : null;
    }

    private static DateOnly NotBefore(DateOnly? first, DateOnly day) => first is { } since && since > day ? since : day;
}
