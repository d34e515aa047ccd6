-- A log that anyone can check: commitments to the entries of the access log in Merkle trees, one for each controller and year (docs/adr/0020).
--
-- Runs with the service before it and the service after it: what the service before it enters is given a secret by the database, and is put in the tree
-- like everything else.
--
-- Who may do what:
--   coordplan_sequencer  puts entries in the trees; reads the access log and nothing of cases
--   coordplan_publisher  reads the trees, never the entries, and keeps what it has signed
--   coordplan_auditor    reads the access log and the trees, and changes nothing

SET LOCAL search_path = coordinationplan;

DO $body$
DECLARE
    role_name text;
BEGIN
    FOR role_name IN SELECT unnest(ARRAY['coordplan_sequencer', 'coordplan_publisher', 'coordplan_auditor']) LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I LOGIN', role_name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- Another database of the same cluster is being migrated at this moment.
            END;
        END IF;
    END LOOP;
END $body$;

-- What hides the entry behind its commitment in the tree. The service makes it; the default is for the service before it.
ALTER TABLE access_log
    ADD COLUMN event_secret bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) CHECK (octet_length(event_secret) = 32),
    -- The first entry of the call that left this one, and how many it left: an entry that a receipt is held for vouches for the others.
    ADD COLUMN call_id uuid,
    ADD COLUMN call_size integer NOT NULL DEFAULT 1 CHECK (call_size > 0);

-- Entries that are in no tree yet.
CREATE TABLE log_pending (
    entry_id uuid PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    -- Whose log: as access_log.actor_controller, and empty where that is null.
    controller text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX log_pending_by_log ON log_pending (controller, occurred_at, entry_id);

-- One log for each controller and year.
CREATE TABLE log_state (
    log integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    -- What follows the configured name in the log's origin, and in its address: an id that says nothing, and the year.
    log_id text NOT NULL UNIQUE,
    controller text NOT NULL,
    year integer NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL,
    UNIQUE (controller, year)
);

-- The entry at each position of a log, by its commitment; from 0, without gaps.
CREATE TABLE log_leaf (
    log integer NOT NULL REFERENCES log_state,
    position bigint NOT NULL CHECK (position >= 0),
    entry_id uuid NOT NULL UNIQUE,
    occurred_at timestamptz NOT NULL,
    commitment bytea NOT NULL CHECK (octet_length(commitment) = 33),
    PRIMARY KEY (log, position)
);

-- Tiles of the tree (C2SP tlog-tiles): 256 hashes, fewer in the last of a level.
CREATE TABLE log_tile (
    log integer NOT NULL REFERENCES log_state,
    level smallint NOT NULL,
    tile bigint NOT NULL,
    hashes bytea NOT NULL CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0),
    PRIMARY KEY (log, level, tile)
);

-- The newest checkpoint of each log that was published, with its signatures (C2SP tlog-checkpoint). The publisher keeps a copy outside the database.
CREATE TABLE log_checkpoint (
    log integer PRIMARY KEY REFERENCES log_state,
    note text NOT NULL
);

-- A trigger, so that no code path can forget it, with the owner's rights, so that no role can keep an entry out.
CREATE FUNCTION note_pending() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = coordinationplan, pg_temp AS $body$
BEGIN
    INSERT INTO coordinationplan.log_pending (entry_id, occurred_at, controller) VALUES (NEW.entry_id, NEW.occurred_at, coalesce(NEW.actor_controller, ''));
    RETURN NULL;
END $body$;
CREATE TRIGGER note_pending AFTER INSERT ON access_log FOR EACH ROW EXECUTE FUNCTION note_pending();

-- A tree only grows.
CREATE FUNCTION refuse_shrinking() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_TABLE_NAME = 'log_state' THEN
        IF (NEW.log, NEW.log_id, NEW.controller, NEW.year) IS DISTINCT FROM (OLD.log, OLD.log_id, OLD.controller, OLD.year) OR NEW.size <= OLD.size THEN
            RAISE EXCEPTION 'a log only grows' USING ERRCODE = 'insufficient_privilege';
        END IF;
    ELSIF (NEW.log, NEW.level, NEW.tile) IS DISTINCT FROM (OLD.log, OLD.level, OLD.tile)
        OR octet_length(NEW.hashes) <= octet_length(OLD.hashes) OR substring(NEW.hashes FROM 1 FOR octet_length(OLD.hashes)) <> OLD.hashes THEN
        RAISE EXCEPTION 'a tile only grows' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $body$;

SELECT keep_as_written('log_leaf');
DO $body$
DECLARE
    table_name text;
BEGIN
    FOR table_name IN SELECT unnest(ARRAY['log_state', 'log_tile']) LOOP
        EXECUTE format('CREATE TRIGGER only_grows BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_shrinking()', table_name);
        EXECUTE format('CREATE TRIGGER never_removed BEFORE DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', table_name);
        EXECUTE format('CREATE TRIGGER never_emptied BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', table_name);
    END LOOP;
    CREATE TRIGGER never_removed BEFORE DELETE ON log_checkpoint FOR EACH ROW EXECUTE FUNCTION refuse_change();
    CREATE TRIGGER never_emptied BEFORE TRUNCATE ON log_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    CREATE TRIGGER never_emptied BEFORE TRUNCATE ON log_pending FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    FOR table_name IN SELECT unnest(ARRAY['log_pending', 'log_state', 'log_leaf', 'log_tile', 'log_checkpoint']) LOOP
        EXECUTE format('ALTER TABLE %I OWNER TO coordplan_owner', table_name);
    END LOOP;
END $body$;
ALTER FUNCTION note_pending() OWNER TO coordplan_owner;
ALTER FUNCTION refuse_shrinking() OWNER TO coordplan_owner;
REVOKE ALL ON FUNCTION note_pending() FROM PUBLIC;
REVOKE ALL ON FUNCTION refuse_shrinking() FROM PUBLIC;

-- What is in the log already.
INSERT INTO log_pending (entry_id, occurred_at, controller) SELECT entry_id, occurred_at, coalesce(actor_controller, '') FROM access_log;

GRANT INSERT (event_secret, call_id, call_size) ON access_log TO coordplan_case, coordplan_log_review, coordplan_directory;
-- For receipts: what the database itself gives to an entry.
GRANT SELECT (occurred_at, actor_controller) ON access_log TO coordplan_case, coordplan_directory;
GRANT SELECT ON log_state, log_leaf, log_tile, log_checkpoint TO coordplan_log_review;

GRANT USAGE ON SCHEMA coordinationplan TO coordplan_sequencer, coordplan_publisher, coordplan_auditor;
GRANT SELECT ON access_log TO coordplan_sequencer;
GRANT SELECT, DELETE ON log_pending TO coordplan_sequencer;
GRANT SELECT, INSERT, UPDATE ON log_state, log_tile TO coordplan_sequencer;
GRANT SELECT, INSERT ON log_leaf TO coordplan_sequencer;
GRANT SELECT ON log_state, log_leaf, log_tile TO coordplan_publisher;
GRANT SELECT, INSERT, UPDATE ON log_checkpoint TO coordplan_publisher;
GRANT SELECT ON access_log, log_pending, log_state, log_leaf, log_tile, log_checkpoint, installation, schema_migration TO coordplan_auditor;
