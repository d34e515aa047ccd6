-- To what an acceptance was given, also where another answer came after it (docs/adr/0024); and that a snapshot holds up nobody else's changes (docs/adr/0023).
--
-- Runs with the service before it and the service after it: where they are empty, an acceptance is as old as the answer.

SET LOCAL search_path = coordinationplan;

-- The claim whose days were accepted. A later ending takes the acceptance away, whenever it comes and whatever was answered in between.
ALTER TABLE synced_participation ADD COLUMN accepted_version bigint, ADD COLUMN accepted_digest bytea;
SELECT extend_history_of('synced_participation');

-- Which of a receiver's snapshots a row is of: when another has begun, the rest of the one before is passed over.
ALTER TABLE change_pending ADD COLUMN snapshot integer;
-- What has changed goes before the plans of snapshots.
CREATE INDEX change_pending_in_turn ON change_pending ((kind > 8), pending_id);

GRANT INSERT (snapshot) ON change_pending TO coordplan_case;
