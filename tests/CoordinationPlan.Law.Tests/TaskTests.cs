namespace CoordinationPlan.Law.Tests;

/// <summary>Every kind of task on every day around its limits, against the rules written down a second time as sentences.</summary>
public sealed class TaskTests
{
    private static readonly DateOnly[] Days =
    [
        // A common day; the nights in which the clock changes; a change of year; a leap day and the day before one that is none.
        new(2026, 11, 24), new(2026, 3, 29), new(2026, 10, 25), new(2026, 12, 31), new(2028, 2, 29), new(2027, 2, 28),
    ];

    public static TheoryData<Duty> Duties => [.. Enum.GetValues<Duty>().Except([Duty.Unspecified])];

    [Fact]
    public void Kinds_and_states_are_the_contracts()
    {
        Assert.Equal(Named("TaskKind", "TASK_KIND_"), Enum.GetValues<Duty>().Select(duty => (duty.ToString().ToUpperInvariant(), (int)duty)));
        Assert.Equal(Named("TaskState", "TASK_STATE_"), Enum.GetValues<Progress>().Select(state => (state.ToString().ToUpperInvariant(), (int)state)));
    }

    [Theory]
    [MemberData(nameof(Duties))]
    public void There_is_one_rule_for_each_kind(Duty duty) => Assert.Single(PlanTasks.Rules, rule => rule.Duty == duty);

    [Theory]
    [MemberData(nameof(Duties))]
    public void A_task_is_shown_due_overdue_and_gone_on_the_days_that_are_expected(Duty duty)
    {
        foreach (var limit in new[] { 0, 1, 7, 30, 365 })
        {
            var window = PlanTasks.Windows(_ => limit).Single(found => found.Duty == duty);
            foreach (var day in Days)
            {
                for (var ahead = -400; ahead <= 400; ahead++)
                {
                    var today = day.AddDays(ahead);
                    Assert.Equal((limit, day, today, Expected(duty, day, limit, today)), (limit, day, today, PlanTasks.Of(new TaskFact(duty, day), window, today)));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Duties))]
    public void What_there_was_nothing_of_before_a_day_is_neither_shown_nor_due_before_it(Duty duty)
    {
        var window = PlanTasks.Windows(_ => 10).Single(found => found.Duty == duty);
        foreach (var day in Days)
        {
            for (var lead = 0; lead <= 20; lead++)
            {
                var since = day.AddDays(-lead);
                for (var ahead = -25; ahead <= 25; ahead++)
                {
                    var (today, with, without) = (day.AddDays(ahead), new TaskFact(duty, day, since), PlanTasks.Of(new TaskFact(duty, day), window, day.AddDays(ahead)));
                    var task = PlanTasks.Of(with, window, today);
                    var due = without is not null && without.DueOn > since ? without.DueOn : since;
                    var expected = today < since || without is null ? null : new PlanTask(due, today > due ? Progress.Overdue : Progress.Due);
                    Assert.Equal((day, since, today, expected), (day, since, today, task));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Duties))]
    public void What_is_done_is_done_whenever_it_is_asked_for_and_was_due_when_it_was(Duty duty)
    {
        var window = PlanTasks.Windows(_ => 5).Single(found => found.Duty == duty);
        foreach (var day in Days)
        {
            for (var ahead = -400; ahead <= 400; ahead += 50)
            {
                var task = PlanTasks.Of(new TaskFact(duty, day, DoneOn: day), window, day.AddDays(ahead));
                Assert.Equal(new PlanTask(Due(duty, day, 5), Progress.Done), task);
            }
        }
    }

    [Fact]
    public void The_laws_own_limits_apply_where_nobody_has_decided_otherwise()
    {
        var windows = PlanTasks.Windows(clock => clock.Days ?? 0).ToDictionary(window => window.Duty);

        Assert.Equal(new TaskWindow(Duty.BeginPlan, null, 3, null), windows[Duty.BeginPlan]);
        Assert.Equal(new TaskWindow(Duty.AssessRisk, null, 7, null), windows[Duty.AssessRisk]);
        Assert.Equal(new TaskWindow(Duty.RenewConsent, -30, 0, 0), windows[Duty.RenewConsent]);
        Assert.Equal(new TaskWindow(Duty.BlockEnds, -30, 0, 0), windows[Duty.BlockEnds]);
        Assert.Equal(new TaskWindow(Duty.AnswerCall, null, -3, 0), windows[Duty.AnswerCall]);
        Assert.Equal(new TaskWindow(Duty.AttendMeeting, -7, 0, 0), windows[Duty.AttendMeeting]);
        Assert.Equal(new TaskWindow(Duty.DoIntervention, null, 0, null), windows[Duty.DoIntervention]);
    }

    private static DateOnly Due(Duty duty, DateOnly day, int limit) => duty switch
    {
        Duty.BeginPlan or Duty.AssessRisk or Duty.AnswerSuggestion or Duty.CoordinatePlans or Duty.SecureSchooling or Duty.HandoverFirstStep or Duty.HandoverSecondStep
            => day.AddDays(limit),
        Duty.AnswerCall => day.AddDays(-limit),
        _ => day,
    };

    private static PlanTask? Expected(Duty duty, DateOnly day, int limit, DateOnly today)
    {
        var lapses = duty is Duty.RenewConsent or Duty.BlockEnds or Duty.AnswerCall or Duty.AttendMeeting;
        var warns = duty is Duty.RenewConsent or Duty.BlockEnds or Duty.AttendMeeting;
        if ((lapses && today > day) || (warns && today.AddDays(limit) < day))
        {
            return null;
        }

        var due = Due(duty, day, limit);
        return new PlanTask(due, today <= due ? Progress.Due : Progress.Overdue);
    }

    private static IEnumerable<(string Name, int Number)> Named(string type, string prefix) =>
        V1.OversightServiceReflection.Descriptor.EnumTypes.Single(found => found.Name == type).Values
            .Select(value => (value.Name[prefix.Length..].Replace("_", "", StringComparison.Ordinal), value.Number));
}
