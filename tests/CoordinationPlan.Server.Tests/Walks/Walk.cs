using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Grpc.Core;
using static CoordinationPlan.V1.InformationCategory;

namespace CoordinationPlan.Server.Tests.Walks;

/// <summary>Entries that the access log must hold.</summary>
internal sealed record Expected(string Method, string Employee, AccessOutcome Outcome, bool AboutThePlan);

/// <summary>
/// One plan from its creation on, by calls that the numbers choose: each number is one step, and what it means depends on where the plan stands. After every
/// call status, reason and what is read are compared with the model.
/// </summary>
internal sealed partial class Walk
{
    private static readonly DemonstrationEmployee[] Participants = [.. Model.Ceilings.Keys];
    private static readonly DemonstrationEmployee[] Strangers = [DemonstrationDirectory.Colleague, DemonstrationDirectory.OtherCaseWorker];
    private static readonly InformationCategory[] Consentable = [Existence, Identity, GoalsAndInterventions, SocialSituation, Health, InformationCategory.Schooling, InformationCategory.Meetings];
    private const int TrailLength = 40;

    private readonly Stand _stand;
    private readonly Model _model;
    private readonly List<Expected> _entries = [];
    private readonly Queue<string> _trail = new();
    private readonly List<Answered> _answered = [];
    private Dice _dice;

    private Walk(Stand stand, Model model)
    {
        _stand = stand;
        _model = model;
    }

    /// <summary>The calls that have been made.</summary>
    public int Calls => _entries.Count;

    public string Plan => _model.Name;

    public IReadOnlyList<Expected> Entries => _entries;

    private DateOnly Today => SwedishTime.DayOf(_stand.Clock.GetUtcNow());

    /// <summary>Opens the plan that the walk is about.</summary>
    public static async Task<Walk> Begin(Stand stand)
    {
        var request = new CreatePlanRequest
        {
            Plan = new() { Subject = Cases.NewPerson(), SocialSituation = "Våld i en nära relation.", HealthSituation = "Sömnbesvär." },
            RequestId = Cases.NewId(),
        };
        var response = await stand.As(DemonstrationDirectory.CaseWorker).Plans.CreatePlanAsync(request);
        var walk = new Walk(stand, new Model
        {
            Name = response.Plan.Name,
            Etag = response.Plan.Etag,
            Subject = request.Plan.Subject,
            SocialSituation = request.Plan.SocialSituation,
            HealthSituation = request.Plan.HealthSituation,
        });
        walk.Note(DemonstrationDirectory.CaseWorker, request, Verdict.Done);
        walk.Keep(DemonstrationDirectory.CaseWorker, stand.As(DemonstrationDirectory.CaseWorker).Plans.CreatePlanAsync, request, request.RequestId, response, () => Verdict.Done);
        return walk;
    }

    /// <summary>One step: a call, or the clock is moved.</summary>
    public async Task Step(uint number)
    {
        _dice = new Dice(number);
        try
        {
            await Choose();
        }
        catch (Exception exception) when (exception is not WalkException)
        {
            throw new WalkException($"{exception.Message}\nThe model's plan is {_model.State}, today {Today:yyyy-MM-dd}. The last steps:\n{string.Join('\n', _trail)}", exception);
        }
    }

    private Task Choose() => _dice.Of(107) switch
    {
        < 12 => GetPlan(),
        < 15 => FindPlan(),
        < 20 => GetReadiness(),
        < 22 => ListMeetings(),
        < 24 => ListProposals(),
        < 25 => ListAssessments(),
        < 26 => ListRevisions(),
        < 28 => NothingThere(),
        < 37 => Advance(),
        < 38 => Decline(),
        < 44 => Establish(),
        < 45 => Close(),
        < 49 => Reopen(),
        < 56 => Update(),
        < 58 => AddGoal(),
        < 61 => ChangeGoal(),
        < 64 => AddIntervention(),
        < 68 => ChangeIntervention(),
        < 70 => AddMeasure(),
        < 72 => ChangeMeasure(),
        < 77 => Join(),
        < 79 => Leave(),
        < 84 => RecordConsent(),
        < 87 => ChangeConsent(),
        < 90 => CallMeeting(),
        < 95 => ChangeMeeting(),
        < 97 => Propose(),
        < 99 => Answer(),
        < 100 => Assess(),
        < 101 => Block(),
        < 104 => Again(),
        _ => MoveClock(),
    };

    // ---------------------------------------------------------------------------------------------------------------- who, and what of it

    private DemonstrationEmployee Anybody() => _dice.Of(20) switch
    {
        < 10 => DemonstrationDirectory.CaseWorker,
        < 11 => DemonstrationDirectory.UnitManager,
        < 12 => DemonstrationDirectory.NewCaseWorker,
        < 18 => _dice.One(Participants),
        _ => _dice.One(Strangers),
    };

    private DemonstrationEmployee MostlyOwner() => _dice.Of(10) < 8 ? DemonstrationDirectory.CaseWorker : Anybody();

    private DemonstrationEmployee MostlyInvolved() => _dice.Of(10) < 6 ? _dice.One(Participants) : Anybody();

    private string AnyUnit() => Cases.UnitOf(_dice.Of(5) == 0 ? DemonstrationDirectory.CaseWorker : _dice.One(Participants));

    private Task MoveClock()
    {
        var by = _dice.Of(2) == 0 ? TimeSpan.FromHours(1 + _dice.Of(30)) : TimeSpan.FromDays(1 + _dice.Of(45));
        _stand.Clock.Advance(by);
        Remember($"the clock moves on by {by.TotalHours} hours to {_stand.Clock.GetUtcNow():yyyy-MM-dd HH:mm}");
        return Task.CompletedTask;
    }

    // ------------------------------------------------------------------------------------------------------------------------ making calls

    /// <summary>A call that reads: made, compared, entered.</summary>
    private async Task<TResponse?> Read<TRequest, TResponse>(
        DemonstrationEmployee who, Func<TRequest, CallOptions, AsyncUnaryCall<TResponse>> call, TRequest request, Verdict expected, bool aboutThePlan = true)
        where TRequest : class, IMessage
        where TResponse : class
    {
        var response = await Make(who, call, request, expected, aboutThePlan);
        Note(who, request, expected, aboutThePlan);
        return response;
    }

    /// <summary>
    /// A change: now and then from a stale etag, or only validated. The model's plan changes when it is done.
    /// </summary>
    /// <param name="may">Whether the caller may, by where the plan stands, or whatever it stands at: a retry has the right that the first call had.</param>
    /// <param name="first">What is checked before the etag.</param>
    /// <param name="then">What is checked after it.</param>
    private async Task Change<TRequest, TResponse>(
        DemonstrationEmployee who,
        Func<TRequest, CallOptions, AsyncUnaryCall<TResponse>> call,
        TRequest request,
        string? etag,
        Func<Verdict> may,
        Action<TResponse> effect,
        Func<Verdict>? first = null,
        Func<Verdict>? then = null)
        where TRequest : class, IChangeRequest
        where TResponse : class
    {
        var stale = etag is null || _dice.Of(16) == 0;
        var validates = _dice.Of(20) == 0;
        Set(request, "etag", stale ? "AAAAAAAAAAAAAAAA" : etag!);
        Set(request, "request_id", Cases.NewId());
        Set(request, "validate_only", validates);

        Func<Verdict>[] checks = [may, first ?? (static () => Verdict.Done), () => stale ? Verdict.Stale : Verdict.Done, then ?? (static () => Verdict.Done)];
        var expected = checks.Select(check => check()).FirstOrDefault(verdict => !verdict.IsDone) ?? Verdict.Done;
        var response = await Make(who, call, request, expected);
        Note(who, request, expected.IsDone && validates ? expected with { Outcome = AccessOutcome.Validated } : expected);
        if (response is not null && !validates)
        {
            effect(response);
            Keep(who, call, request, request.RequestId, response, may);
        }
    }

    private async Task<TResponse?> Make<TRequest, TResponse>(
        DemonstrationEmployee who, Func<TRequest, CallOptions, AsyncUnaryCall<TResponse>> call, TRequest request, Verdict expected, bool aboutThePlan = true)
        where TRequest : class, IMessage
        where TResponse : class
    {
        Remember($"{Calls + 1}: {who.Id} {(aboutThePlan ? "" : "about something else ")}{Rpc(request)} {request} expects {expected.Status} {expected.Reason}");
        try
        {
            var response = await call(request, default);
            Assert.Equal(expected, Verdict.Done with { Outcome = expected.Outcome });
            return response;
        }
        catch (RpcException error)
        {
            Assert.Equal((expected.Status, expected.Reason), (error.StatusCode, error.Reason()));
            if (expected.Reason == ErrorReason.StatutoryContentMissing)
            {
                Assert.Equal(expected.Missing.Select(SubjectOf).Order(StringComparer.Ordinal), error.UnmetPreconditions().Select(unmet => unmet.Subject).Order(StringComparer.Ordinal));
            }

            return null;
        }
    }

    private static string SubjectOf(string rule) => rule switch
    {
        "consent.asked" or "consent.in_force" => "consents",
        "meeting.called" or "meeting.held" => "meetings",
        "meeting.principals_summoned" => "meetings.calls",
        "follow_up.date" => "follow_up_date",
        "content.responsible_principals" => "interventions.responsible_unit",
        _ => rule["content.".Length..],
    };

    private static string Rpc(IMessage request) => request.Descriptor.Name[..^"Request".Length];

    private void Note(DemonstrationEmployee who, IMessage request, Verdict verdict, bool aboutThePlan = true) =>
        _entries.Add(new Expected(Rpc(request), who.Id, verdict.Outcome, aboutThePlan));

    private void Remember(string what)
    {
        _trail.Enqueue(what);
        if (_trail.Count > TrailLength)
        {
            _trail.Dequeue();
        }
    }

    private static void Set(IMessage message, string field, object value) => message.Descriptor.FindFieldByName(field)?.Accessor.SetValue(message, value);

    // ------------------------------------------------------------------------------------------------------------------- the same call again

    private sealed record Answered(DemonstrationEmployee Who, string RequestId, Func<Verdict> May, Func<Verdict, Task> Repeat);

    private void Keep<TRequest, TResponse>(
        DemonstrationEmployee who, Func<TRequest, CallOptions, AsyncUnaryCall<TResponse>> call, TRequest request, string requestId, TResponse first, Func<Verdict> may)
        where TRequest : class, IMessage
        where TResponse : class
    {
        if (_answered.Count > 5)
        {
            _answered.RemoveAt(0);
        }

        _answered.Add(new Answered(who, requestId, may, async expected =>
        {
            var again = await Read(who, call, request, expected);
            // What a participant reads of the first answer is cut to what it may read today.
            if (Model.IsOwner(who) && again is not null)
            {
                Assert.Equal(first, again);
            }
        }));
    }

    /// <summary>A retry gets the first answer, also where that has closed or opened the plan, unless the caller's right has gone. Its id is of no use for anything else.</summary>
    private async Task Again()
    {
        var answered = _answered[_dice.Of(_answered.Count)];
        if (Model.IsOwner(answered.Who) && _dice.Of(4) == 0)
        {
            var other = new AddGoalRequest { Parent = _model.Name, Goal = new() { Title = "Något annat" }, Etag = _model.Etag, RequestId = answered.RequestId };
            var right = _model.MayAsOwner(answered.Who, null);
            await Read(answered.Who, _stand.As(answered.Who).Plans.AddGoalAsync, other, right.IsDone ? Verdict.RequestIdReused : right);
            return;
        }

        await answered.Repeat(answered.May() is var may && may == Verdict.RefusedByState ? Verdict.Done : may);
    }

    private async Task NothingThere()
    {
        var (who, never) = (Anybody(), $"plans/{Ids.Opaque():D}");
        if (_dice.Of(2) == 0)
        {
            await Read(who, _stand.As(who).Plans.GetPlanAsync, new GetPlanRequest { Name = never }, Verdict.Refused, aboutThePlan: false);
        }
        else
        {
            // In the plan, but no goal of it.
            var name = $"{_model.Name}/goals/{Ids.Opaque():D}";
            await Read(who, _stand.As(who).Plans.EndGoalAsync, new EndGoalRequest { Name = name, Ending = ItemEnding.Completed, Etag = "AAAAAAAAAAAAAAAA", RequestId = Cases.NewId() }, Verdict.Refused);
        }
    }
}

/// <summary>What happened is not what the model says.</summary>
public sealed class WalkException(string message, Exception inner) : Exception(message, inner);

/// <summary>Choices that follow from one number.</summary>
internal struct Dice(uint number)
{
    private ulong _state = number;

    public int Of(int sides)
    {
        // SplitMix64.
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return (int)((z ^ (z >> 31)) % (ulong)sides);
    }

    public T One<T>(IReadOnlyList<T> of) => of[Of(of.Count)];

    public HashSet<T> Some<T>(IReadOnlyList<T> of, int atMost)
    {
        var some = new HashSet<T>();
        for (var i = 1 + Of(atMost); i > 0; i--)
        {
            some.Add(One(of));
        }

        return some;
    }
}
