using CoordinationPlan.Law;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Disclosures;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Plans;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Pupil = CoordinationPlan.V1.Pupil;

namespace CoordinationPlan.Server.Schooling;

/// <summary>School for children in sheltered housing. What each RPC does and who may call it stands in schooling_service.proto.</summary>
internal sealed class SchoolingService(CaseGate gate, DirectoryNames names, HandlingInstructions instructions, LawOptions law, TimeProvider time)
    : V1.SchoolingService.SchoolingServiceBase
{
    public override Task<ListSchoolArrangementsResponse> ListSchoolArrangements(ListSchoolArrangementsRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        return gate.Read(request, context, planId, (entry, trip) =>
        {
            var arrangements = entry.Permit.Reads.HasFlag(Categories.SchoolPlacement) ? trip.Add(SchoolingSql.Of(planId)) : null;
            return Task.FromResult(() =>
            {
                var response = new ListSchoolArrangementsResponse();
                response.SchoolArrangements.AddRange(arrangements?.Value.Select(record => record.ToArrangement(planId, entry.Key, names)) ?? []);
                return response;
            });
        });
    }

    public override Task<AddSchoolArrangementResponse> AddSchoolArrangement(AddSchoolArrangementRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        var links = Links.Parse(request.SchoolArrangement, names);
        RequireDays(request.SchoolArrangement);
        Pending<SchoolingReferences>? references = null;
        WhereaboutsGuard? guard = null;
        return gate.ChangeAsync(
            request,
            context,
            planId,
            trip =>
            {
                references = trip.Add(SchoolingSql.References(planId, null, links.School, links.Contact, links.CaseWorker, time.Today()));
                guard = WhereaboutsGuard.Load(trip, planId, names);
                return trip.Add(PlanSql.Load(planId));
            },
            async (entry, plan, trip) =>
            {
                Entry.RequireEtag(request.Etag, plan.Etag);
                links.Require(references!.Value, null);
                await guard!.Require(entry, ForTheSchool(request.SchoolArrangement), context.CancellationToken);
                var said = request.SchoolArrangement.Clone();
                said.HandoverSteps.Clear();
                var record = (SchoolingRecord.New() with { School = references.Value.School }).Holding(entry.Key, said);
                trip.Add(SchoolingSql.Insert(planId, record, entry.ChangedBy));
                return new AddSchoolArrangementResponse { SchoolArrangement = record.ToArrangement(planId, entry.Key, names) };
            });
    }

    public override Task<UpdateSchoolArrangementResponse> UpdateSchoolArrangement(UpdateSchoolArrangementRequest request, ServerCallContext context)
    {
        var (planId, arrangementId) = ResourceName.ParseChild(request.SchoolArrangement.Name, ResourceName.SchoolArrangements, "school_arrangement.name");
        var changes = new SchoolArrangement();
        Merge(request.UpdateMask, request.SchoolArrangement, changes);
        var links = Links.Parse(changes, names);
        Pending<SchoolingReferences>? references = null;
        WhereaboutsGuard? guard = null;
        return gate.ChangeAsync(
            request,
            context,
            planId,
            trip =>
            {
                references = trip.Add(SchoolingSql.References(planId, arrangementId, links.School, links.Contact, links.CaseWorker, time.Today()));
                guard = WhereaboutsGuard.Load(trip, planId, names);
                return trip.Add(SchoolingSql.Find(planId, arrangementId));
            },
            async (entry, record, trip) =>
            {
                Entry.RequireEtag(request.Etag, record.Etag);
                RequireNotEnded(record);
                links.Require(references!.Value, record);
                await guard!.Require(entry, ForTheSchool(changes), context.CancellationToken);
                var said = record.Open(entry.Key);
                Merge(request.UpdateMask, changes, said);
                RequireDays(said);
                var isSecured = record.Stage >= SchoolingStage.Secured;
                var school = request.UpdateMask.Paths.Contains("school_unit") ? references.Value.School : record.School;
                if (isSecured && school?.UnitId != record.School?.UnitId)
                {
                    throw Errors.WrongState("The place is secured. Another school is another arrangement.");
                }

                if (isSecured && said.StartDate is null)
                {
                    throw Errors.WrongState("The place is secured: it has a first day.");
                }

                if (school is null || school.UnitId != record.School?.UnitId)
                {
                    // Whoever was the contact at another school is none at this one, unless the same change says so.
                    said.SchoolContact = request.UpdateMask.Paths.Contains("school_contact") ? said.SchoolContact : "";
                }

                var next = (record with { School = school }).Next(entry.Key, said);
                trip.Add(SchoolingSql.Replace(planId, next, entry.ChangedBy));
                return new UpdateSchoolArrangementResponse { SchoolArrangement = next.ToArrangement(planId, entry.Key, names) };
            });
    }

    public override Task<AdvanceSchoolArrangementResponse> AdvanceSchoolArrangement(AdvanceSchoolArrangementRequest request, ServerCallContext context)
    {
        var (planId, arrangementId) = ResourceName.ParseChild(request.Name, ResourceName.SchoolArrangements, "name");
        var to = (SchoolingStage)request.State;
        if (request.LastDate is not null && to is not (SchoolingStage.HandedOver or SchoolingStage.Ended))
        {
            throw Errors.InvalidFields(new FieldFault("last_date", "is for HANDED_OVER and ENDED only"));
        }

        Pending<bool>? mayKnow = null;
        return gate.Change(
            request,
            context,
            planId,
            trip =>
            {
                mayKnow = trip.Add(SchoolingSql.SchoolMayKnow(planId, arrangementId, time.Today()));
                return trip.Add(SchoolingSql.Find(planId, arrangementId));
            },
            (entry, record, trip) =>
            {
                Entry.RequireEtag(request.Etag, record.Etag);
                var step = SchoolingLaw.StepBetween(record.Stage, to)
                    ?? throw Errors.WrongState($"No step leads from {WireNames.Of(record.Stage)} to {WireNames.Of(to)}.");
                var said = record.Open(entry.Key);
                said.EndDate = request.LastDate ?? said.EndDate;
                RequireDays(said, "last_date");
                if (SchoolingLaw.MissingFor(step, record.ToContent(said, mayKnow!.Value), entry.Today).ToList() is { Count: > 0 } missing)
                {
                    throw Errors.StatutoryContentMissing(missing.Select(unmet => new Precondition("STATUTE", unmet.Rule.Subject, $"{unmet.Rule.Demand} ({unmet.Basis})")));
                }

                var next = (record with { Stage = to, HandedOverOn = to == SchoolingStage.HandedOver ? entry.Today : record.HandedOverOn }).Next(entry.Key, said);
                trip.Add(SchoolingSql.Replace(planId, next, entry.ChangedBy));
                return new AdvanceSchoolArrangementResponse { SchoolArrangement = next.ToArrangement(planId, entry.Key, names) };
            });
    }

    public override Task<RecordHandoverStepResponse> RecordHandoverStep(RecordHandoverStepRequest request, ServerCallContext context)
    {
        var (planId, arrangementId) = ResourceName.ParseChild(request.Name, ResourceName.SchoolArrangements, "name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(SchoolingSql.Find(planId, arrangementId)),
            (entry, record, trip) =>
            {
                Entry.RequireEtag(request.Etag, record.Etag);
                RequireNotEnded(record);
                if (request.TakeDate.ToDateOnly() > entry.Today)
                {
                    throw Errors.InvalidFields(new FieldFault("take_date", "must not be in the future"));
                }

                var said = record.Open(entry.Key);
                said.HandoverSteps.Add(new HandoverStep { Kind = request.Step, TakeDate = request.TakeDate, Reference = request.Reference, NotNeeded = request.NotNeeded });
                var next = record.Next(entry.Key, said);
                trip.Add(SchoolingSql.Replace(planId, next, entry.ChangedBy));
                return new RecordHandoverStepResponse { SchoolArrangement = next.ToArrangement(planId, entry.Key, names) };
            });
    }

    public override Task<ListAttendanceResponse> ListAttendance(ListAttendanceRequest request, ServerCallContext context)
    {
        var (planId, arrangementId) = ResourceName.ParseChild(request.Parent, ResourceName.SchoolArrangements, "parent");
        return gate.Read<SchoolingRecord, ListAttendanceResponse>(
            request,
            context,
            planId,
            trip => trip.Add(SchoolingSql.Find(planId, arrangementId)),
            (entry, _, trip) =>
            {
                var weeks = entry.Permit.Reads.HasFlag(Categories.Schooling) ? trip.Add(SchoolingSql.Attendance(planId, arrangementId)) : null;
                return Task.FromResult(() =>
                {
                    var response = new ListAttendanceResponse { AbsencePattern = weeks?.Value.FirstOrDefault()?.IsPattern ?? false };
                    response.Weeks.AddRange(weeks?.Value.Select(week => week.ToWeek(arrangementId)) ?? []);
                    return response;
                });
            });
    }

    public override Task<GetPupilResponse> GetPupil(GetPupilRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParseSingleton(request.Name, ResourceName.Pupil, "name");
        return gate.Read<SchoolingRecord, GetPupilResponse>(
            request,
            context,
            planId,
            trip => trip.Add(SchoolingSql.OfPupil(planId, CallerIdentity.Of(context, names).AssignmentId, time.Today())),
            (entry, record, trip) =>
            {
                // Who the person is, is fetched only where the permit lists it: it does not where an alias is agreed.
                var frame = entry.Permit.Reads.HasFlag(Categories.Identity) ? trip.Add(PartSql.Of(planId, Sight.Within(Categories.Identity, entry.CallerFacts.UnitId))) : null;
                return Task.FromResult(() =>
                {
                    var said = record.Open(entry.Key);
                    var pupil = new Pupil
                    {
                        Name = request.Name,
                        Subject = frame?.Value.Select(part => ((Plan)Stored<Plan>.Parser.ParseFrom(part.Open(entry.Key))).Subject).FirstOrDefault(subject => subject is not null),
                        Alias = said.Alias,
                        SchoolUnit = names.Name(ResourceName.Units, record.School?.UnitId),
                        Form = said.Form,
                        State = (SchoolArrangementState)record.Stage,
                        StartDate = said.StartDate,
                        EndDate = said.EndDate,
                        SupportNeeds = said.SupportNeeds,
                        Contact = said.ContactForSchool,
                        ContactPhone = said.ContactPhone,
                        SafeContactRules = said.SafeContactRules,
                        PickUpRules = said.PickUpRules,
                    };
                    instructions.For(entry.Plan.Protection, isPlaced: !entry.Plan.Unplaced).ApplyTo(pupil);
                    return new GetPupilResponse { Pupil = pupil };
                });
            });
    }

    public override Task<ReportAttendanceResponse> ReportAttendance(ReportAttendanceRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParseSingleton(request.Name, ResourceName.Pupil, "name");
        var reported = request.Attendance;
        var hours = new Attended(reported.HoursPossible, reported.HoursAttended, reported.HoursAbsentValid, reported.HoursAbsentInvalid);
        var monday = SchoolingLaw.MondayOf(reported.Year, reported.Week) ?? throw Errors.InvalidFields(new FieldFault("attendance.week", "must be a week of the year by ISO 8601"));
        if (!SchoolingLaw.AddsUp(hours))
        {
            throw Errors.InvalidFields(new FieldFault(
                "attendance.hours_possible", $"must be at most {SchoolingLaw.MostHours}, and the sum of the hours attended and the hours of both kinds of absence"));
        }

        return gate.ChangeAsync(
            request,
            context,
            planId,
            trip => trip.Add(SchoolingSql.OfPupil(planId, CallerIdentity.Of(context, names).AssignmentId, time.Today())),
            async (entry, record, trip) =>
            {
                // One more round trip: which arrangement it is, is known only now.
                var read = entry.NewTrip();
                var weeks = read.Add(SchoolingSql.Attendance(planId, record.ArrangementId));
                await read.Run(context.CancellationToken);

                var current = weeks.Value.Find(week => week.Monday == monday) ?? new AttendanceRecord(monday, hours, false, 0);
                Entry.RequireEtag(request.Etag, current.EtagIn(record.ArrangementId));
                if (!SchoolingLaw.IsReportable(monday, record.StartsOn, record.EndsOn, entry.Today))
                {
                    throw Errors.InvalidFields(new FieldFault("attendance.week", "must have begun, and hold a day between the first and the last of the pupil's days at the school"));
                }

                var next = current with { Hours = hours, Version = current.Version + 1 };
                var all = weeks.Value.Where(week => week.Monday != monday).Append(next).OrderByDescending(week => week.Monday).ToList();
                var controller = names.NameOf(entry.Plan.OwnerController);
                var limits = new AbsenceLimits(
                    law.ValueOf(SchoolingLaw.AbsenceWeeks, controller), law.ValueOf(SchoolingLaw.Absence, controller), law.ValueOf(SchoolingLaw.InvalidAbsence, controller));
                next = next with { IsPattern = SchoolingLaw.IsPattern(all.Select(week => week.Hours), limits) };
                trip.Add(SchoolingSql.PutWeek(planId, record.ArrangementId, next, entry.ChangedBy));
                if (all[0] is { } latest && latest.Monday != monday && latest.IsPattern != next.IsPattern)
                {
                    // An earlier week was corrected: what the latest reports show together has changed with it. The latest week's etag stays.
                    trip.Add(SchoolingSql.SetPattern(planId, record.ArrangementId, latest.Monday, next.IsPattern));
                }

                return new ReportAttendanceResponse { Attendance = next.ToWeek(record.ArrangementId) };
            });
    }

    private static void Merge(FieldMask mask, SchoolArrangement from, SchoolArrangement to) =>
        mask.Merge(from, to, new FieldMask.MergeOptions { ReplaceMessageFields = true, ReplaceRepeatedFields = true, ReplacePrimitiveFields = true });

    /// <summary>What is written for the school to read, by field.</summary>
    private static IEnumerable<(string Field, string Text)> ForTheSchool(SchoolArrangement arrangement) =>
    [
        ("school_arrangement.support_needs", arrangement.SupportNeeds),
        ("school_arrangement.contact_for_school", arrangement.ContactForSchool),
        ("school_arrangement.contact_phone", arrangement.ContactPhone),
        ("school_arrangement.safe_contact_rules", arrangement.SafeContactRules),
        ("school_arrangement.pick_up_rules", arrangement.PickUpRules),
        ("school_arrangement.alias", arrangement.Alias is { } alias ? $"{alias.GivenName} {alias.FamilyName} {alias.AgreedNumber}" : ""),
    ];

    private static void RequireNotEnded(SchoolingRecord record)
    {
        if (record.Stage == SchoolingStage.Ended)
        {
            throw Errors.WrongState("The arrangement has ended. What has ended is not changed; add a new one.");
        }
    }

    private static void RequireDays(SchoolArrangement said, string field = "school_arrangement.end_date")
    {
        if (said.StartDate is { } start && said.EndDate is { } end && end.ToDateOnly() < start.ToDateOnly())
        {
            throw Errors.InvalidFields(new FieldFault(field, "must not be before start_date"));
        }
    }

    /// <summary>What an arrangement names in the directory.</summary>
    private sealed record Links(string? School, string? Contact, string? CaseWorker)
    {
        public static Links Parse(SchoolArrangement arrangement, DirectoryNames names) => new(
            names.ParseOptional(arrangement.SchoolUnit, ResourceName.Units, "school_arrangement.school_unit"),
            names.ParseOptional(arrangement.SchoolContact, ResourceName.Employees, "school_arrangement.school_contact"),
            names.ParseOptional(arrangement.CaseWorker, ResourceName.Employees, "school_arrangement.case_worker"));

        public void Require(SchoolingReferences found, SchoolingRecord? record)
        {
            if (School is not null && found.School is null)
            {
                throw Errors.UnknownReference("school_arrangement.school_unit", "must be a school in the directory");
            }

            if (found.HasOneAlready && record is null or { Stage: < SchoolingStage.HandedOver })
            {
                throw Errors.WrongState("There is an arrangement with this school that has not been handed over or ended.");
            }

            if (Contact is not null && !found.ContactWorksThere)
            {
                throw Errors.UnknownReference("school_arrangement.school_contact", "must be an employee with an assignment in the school");
            }

            if (CaseWorker is not null && !found.CaseWorkerWorksHere)
            {
                throw Errors.UnknownReference("school_arrangement.case_worker", "must be an employee with an assignment in the owning unit");
            }
        }
    }
}
