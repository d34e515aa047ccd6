-- What tasks follow from: the days of an intervention, what was reviewed and renewed, the calls to a unit.
--
-- Runs with the service before it and the service after it: what it adds to a table may be absent.

SET LOCAL search_path = coordinationplan;

-- The intervention's own days and contact person stand sealed in its body; here are those by which it shows as a task. An intervention that was written
-- before has them from its next change on.
ALTER TABLE plan_part
    ADD COLUMN starts_on date,
    ADD COLUMN ends_on date,
    ADD COLUMN contact_person text REFERENCES employee;
SELECT extend_history_of('plan_part');

CREATE INDEX plan_part_by_unit ON plan_part (unit_id) WHERE kind = 3 AND ends_on IS NOT NULL;
CREATE INDEX meeting_call_by_unit ON meeting_call (unit_id);

-- A review and a renewal replace the day that they were due by: what was done is read from the day before.
GRANT SELECT (subject_id, decision_id, version, review_on, superseded_at) ON location_secrecy_history TO coordplan_case;
GRANT SELECT (plan_id, consent_id, version, state, ends_on, superseded_at) ON consent_history TO coordplan_case;
