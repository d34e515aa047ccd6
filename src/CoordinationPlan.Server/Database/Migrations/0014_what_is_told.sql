-- What the feed tells, and what it does not (docs/adr/0023): what became of a system's reports, no edit of what is hidden, and that a placement takes a right away.
--
-- Runs with the service before it and the service after it: the service before it passes over what it does not know of.

SET LOCAL search_path = coordinationplan;

-- Delivered as a number that is used up: whoever confirms it holds nothing by it.
ALTER TABLE change_item ADD COLUMN forgotten boolean NOT NULL DEFAULT false;

-- Of which places the first answer to a request may speak, whosever unit's: categories. Null where it is not known; then as if of all.
ALTER TABLE request_outcome ADD COLUMN places integer;

CREATE INDEX change_recall_to_confirm ON change_recall (receiver) WHERE acknowledged_at IS NULL;

-- As in migration 0011, and besides: an edit of a plan that the feed shows nothing of is not noted, so that nobody counts what is hidden (2 existence, 8192 meetings);
-- 7 what a system has said of who takes part.
CREATE OR REPLACE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = coordinationplan, pg_temp AS $body$
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'plan' THEN
            IF TG_OP = 'INSERT'
                OR (NEW.state, NEW.revision, NEW.legal_basis, NEW.established_on, NEW.closed_on, NEW.closing_reason, NEW.decline_reason)
                    IS DISTINCT FROM (OLD.state, OLD.revision, OLD.legal_basis, OLD.established_on, OLD.closed_on, OLD.closing_reason, OLD.decline_reason) THEN
                INSERT INTO change_pending (kind, plan_id, category) VALUES (1, NEW.plan_id, 2);
            END IF;
            IF TG_OP = 'UPDATE' AND (NEW.owner_unit_id, NEW.owner_controller, NEW.coordinator) IS DISTINCT FROM (OLD.owner_unit_id, OLD.owner_controller, OLD.coordinator) THEN
                INSERT INTO change_pending (kind, plan_id, category) VALUES (1, NEW.plan_id, 8192);
            END IF;
        WHEN 'participation' THEN
            INSERT INTO change_pending (kind, plan_id, item_id, unit_id, category) VALUES (2, NEW.plan_id, NEW.participation_id, NEW.unit_id, NEW.category);
        WHEN 'meeting' THEN
            INSERT INTO change_pending (kind, plan_id, item_id) VALUES (3, NEW.plan_id, NEW.meeting_id);
        WHEN 'meeting_call' THEN
            INSERT INTO change_pending (kind, plan_id, item_id, unit_id, category) VALUES (4, NEW.plan_id, NEW.meeting_id, NEW.unit_id, NEW.category);
        WHEN 'synced_participation' THEN
            INSERT INTO change_pending (kind, plan_id, item_id) VALUES (7, NEW.plan_id, NEW.synced_id);
        WHEN 'consent', 'legal_release' THEN
            INSERT INTO change_pending (kind, plan_id) VALUES (5, NEW.plan_id);
        WHEN 'school_arrangement' THEN
            INSERT INTO change_pending (kind, plan_id) SELECT 5, q.plan_id FROM plan p JOIN plan q ON q.subject_id = p.subject_id WHERE p.plan_id = NEW.plan_id;
        WHEN 'block', 'subject' THEN
            INSERT INTO change_pending (kind, plan_id) SELECT 5, p.plan_id FROM plan p WHERE p.subject_id = NEW.subject_id;
        WHEN 'whereabouts', 'location_secrecy' THEN
            INSERT INTO change_pending (kind, plan_id) SELECT 5, p.plan_id FROM plan p WHERE p.subject_id = coalesce(NEW.subject_id, OLD.subject_id);
        WHEN 'subject_key' THEN
            INSERT INTO change_pending (kind, plan_id) SELECT 5, p.plan_id FROM plan p WHERE p.subject_id = OLD.subject_id;
        WHEN 'assignment' THEN
            INSERT INTO change_pending (kind, receiver) SELECT 6, r.receiver FROM change_receiver r WHERE r.assignment_id = NEW.assignment_id;
        WHEN 'unit' THEN
            INSERT INTO change_pending (kind, plan_id) SELECT DISTINCT 5, s.plan_id FROM change_standing s WHERE s.unit_id = NEW.unit_id;
    END CASE;
    RETURN NULL;
END $body$;

-- That a person is placed can take away what was released to somebody who may not know it.
CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON whereabouts FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON location_secrecy FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note_change AFTER INSERT OR UPDATE ON synced_participation FOR EACH ROW EXECUTE FUNCTION note_change();

-- What was accepted of a participation that has ended is asked for again: from now on it would let the unit take part by itself.
UPDATE synced_participation s SET
    accepted_from = NULL, accepted_to = NULL,
    state = CASE WHEN s.state = 2 AND NOT s.ended THEN 1 ELSE s.state END,
    asked = CASE WHEN s.state = 2 AND NOT s.ended THEN 1 ELSE s.asked END,
    asked_at = CASE WHEN s.state = 2 AND NOT s.ended THEN clock_timestamp() ELSE s.asked_at END,
    version = s.version + 1, changed_by = 'migration 0014', changed_at = clock_timestamp()
WHERE s.accepted_from IS NOT NULL
  AND NOT EXISTS (SELECT FROM participation p WHERE p.plan_id = s.plan_id AND p.participation_id = s.participation_id AND p.ended_at IS NULL);

GRANT UPDATE (forgotten) ON change_item TO coordplan_case;
-- Which reports there are, and no content.
GRANT SELECT (plan_id, synced_id, organisation_id, client_system, created_at) ON synced_participation TO coordplan_feed;
