-- Disposal of what the entries of a log say: two persons decide it, their entries stay in the log, and the leaves and trees are not touched (docs/adr/0022).
--
-- Runs with the service before it and the service after it.
--
-- Who may do what:
--   coordplan_log_review  proposes and approves
--   coordplan_disposer    removes entries that an approved disposal covers, and nothing else
--   coordplan_auditor     reads all of it

SET LOCAL search_path = coordinationplan;

DO $body$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'coordplan_disposer') THEN
        BEGIN
            CREATE ROLE coordplan_disposer LOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- Another database of the same cluster is being migrated at this moment.
        END;
    END IF;
END $body$;

-- What is decided about the entries at positions 0 to size - 1 of a log. All of it is in the two entries that the decision leaves in the log, as one text.
CREATE TABLE log_disposal (
    disposal_id uuid PRIMARY KEY,
    log integer NOT NULL REFERENCES log_state,
    size bigint NOT NULL CHECK (size > 0),
    -- The reference of the decision in the controller's register. Names nobody.
    decision text NOT NULL,
    kept_plans uuid[] NOT NULL,
    -- Digest of which entry each leaf is of, in order: with the records gone nothing else says so.
    leaves bytea NOT NULL CHECK (octet_length(leaves) = 32),
    proposed_on date NOT NULL,
    proposed_by text NOT NULL,
    approved_by text,
    -- Everything that it covers is gone.
    done boolean NOT NULL DEFAULT false,
    CHECK (approved_by IS DISTINCT FROM proposed_by),
    CHECK (approved_by IS NOT NULL OR NOT done)
);
CREATE INDEX log_disposal_by_log ON log_disposal (log);

-- The positions that it leaves.
CREATE TABLE log_disposal_kept (
    disposal_id uuid NOT NULL REFERENCES log_disposal,
    position bigint NOT NULL,
    PRIMARY KEY (disposal_id, position)
);

-- The entries of the decisions, by what they say.
CREATE INDEX access_log_of_disposals ON access_log (resource, occurred_at) WHERE act = 58;

-- A disposal goes one way: proposed, approved, done.
CREATE FUNCTION refuse_undoing() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF (NEW.disposal_id, NEW.log, NEW.size, NEW.decision, NEW.kept_plans, NEW.leaves, NEW.proposed_on, NEW.proposed_by)
        IS DISTINCT FROM (OLD.disposal_id, OLD.log, OLD.size, OLD.decision, OLD.kept_plans, OLD.leaves, OLD.proposed_on, OLD.proposed_by)
        OR (OLD.approved_by IS NOT NULL AND NEW.approved_by IS DISTINCT FROM OLD.approved_by) OR (OLD.done AND NOT NEW.done) THEN
        RAISE EXCEPTION 'a disposal is not changed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $body$;

-- An entry is removed under an approved disposal that covers it, and in no other way, whoever comes.
CREATE FUNCTION refuse_undecided_removal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = coordinationplan, pg_temp AS $body$
BEGIN
    IF NOT EXISTS (
        SELECT FROM log_leaf f JOIN log_disposal d ON d.log = f.log
        WHERE f.entry_id = OLD.entry_id AND f.occurred_at = OLD.occurred_at AND f.position < d.size AND d.approved_by IS NOT NULL AND NOT d.done
          AND NOT EXISTS (SELECT FROM log_disposal_kept k WHERE k.disposal_id = d.disposal_id AND k.position = f.position)) THEN
        RAISE EXCEPTION 'entries of the access log are removed by an approved disposal alone' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $body$;

DO $body$
DECLARE
    table_name text;
BEGIN
    DROP TRIGGER append_only ON access_log;
    CREATE TRIGGER append_only BEFORE UPDATE ON access_log FOR EACH ROW EXECUTE FUNCTION refuse_change();
    CREATE TRIGGER only_disposed BEFORE DELETE ON access_log FOR EACH ROW EXECUTE FUNCTION refuse_undecided_removal();
    CREATE TRIGGER goes_one_way BEFORE UPDATE ON log_disposal FOR EACH ROW EXECUTE FUNCTION refuse_undoing();
    CREATE TRIGGER never_removed BEFORE DELETE ON log_disposal FOR EACH ROW EXECUTE FUNCTION refuse_change();
    CREATE TRIGGER never_emptied BEFORE TRUNCATE ON log_disposal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    PERFORM keep_as_written('log_disposal_kept');
    FOR table_name IN SELECT unnest(ARRAY['log_disposal', 'log_disposal_kept']) LOOP
        EXECUTE format('ALTER TABLE %I OWNER TO coordplan_owner', table_name);
    END LOOP;
END $body$;
ALTER FUNCTION refuse_undoing() OWNER TO coordplan_owner;
ALTER FUNCTION refuse_undecided_removal() OWNER TO coordplan_owner;
REVOKE ALL ON FUNCTION refuse_undoing() FROM PUBLIC;
REVOKE ALL ON FUNCTION refuse_undecided_removal() FROM PUBLIC;

-- A reviewer changes nothing else than this. The first answer to the same request is kept beside those of the directory, where no case is.
GRANT SELECT, INSERT ON log_disposal, log_disposal_kept, directory_request_outcome TO coordplan_log_review;
GRANT UPDATE (approved_by) ON log_disposal TO coordplan_log_review;
GRANT SELECT ON log_pending TO coordplan_log_review;

GRANT USAGE ON SCHEMA coordinationplan TO coordplan_disposer;
GRANT SELECT ON access_log, log_state, log_leaf, log_checkpoint, log_disposal, log_disposal_kept TO coordplan_disposer;
GRANT DELETE ON access_log TO coordplan_disposer;
GRANT UPDATE (done) ON log_disposal TO coordplan_disposer;
GRANT SELECT ON log_disposal, log_disposal_kept TO coordplan_auditor;
