-- Who comes to a meeting instead of whom was asked for.
--
-- Runs with the service before it, which does not say so, and the service after it.

SET LOCAL search_path = coordinationplan;

-- Sealed with the person's key: who meets a person can tell who the person is.
ALTER TABLE meeting_call ADD COLUMN body bytea;
SELECT extend_history_of('meeting_call');
-- Who puts changes in order reads no content.
REVOKE SELECT ON meeting_call FROM coordplan_feed;
GRANT SELECT (plan_id, meeting_id, unit_id, category) ON meeting_call TO coordplan_feed;

-- The service before it leaves the column alone: whom it named belongs to the answer that it came with.
CREATE FUNCTION forget_substitute() RETURNS trigger LANGUAGE plpgsql SET search_path = coordinationplan, pg_temp AS $body$
BEGIN
    IF NEW.replied_at IS DISTINCT FROM OLD.replied_at AND NEW.body IS NOT DISTINCT FROM OLD.body THEN
        NEW.body := NULL;
    END IF;
    RETURN NEW;
END $body$;
ALTER FUNCTION forget_substitute() OWNER TO coordplan_owner;
REVOKE ALL ON FUNCTION forget_substitute() FROM PUBLIC;
CREATE TRIGGER forget_substitute BEFORE UPDATE ON meeting_call FOR EACH ROW EXECUTE FUNCTION forget_substitute();
