-- Counts for follow-up: who came to the meetings, as it stood when a tertial was fixed.
--
-- Runs with the service before it and the service after it: it changes no table.

SET LOCAL search_path = coordinationplan;

-- A tertial's counts are of how things stood on a day, whatever was written since (docs/adr/0018).
GRANT SELECT ON meeting_history, meeting_call_history TO coordplan_case;

CREATE INDEX meeting_by_start ON meeting (starts_at);
CREATE INDEX meeting_history_by_start ON meeting_history (starts_at);
CREATE INDEX meeting_call_history_by_meeting ON meeting_call_history (plan_id, meeting_id);
