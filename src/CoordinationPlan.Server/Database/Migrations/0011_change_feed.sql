-- The feed of changes for systems that keep their own data in step (docs/adr/0023).
--
-- Runs with the service before it and the service after it: triggers note what the service before it changes too, and whoever puts it in order comes with the
-- service after it.
--
-- Who may do what:
--   coordplan_feed  puts noted changes in order for each receiver; reads the facts that decide who may know, and no content

SET LOCAL search_path = coordinationplan;

DO $body$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'coordplan_feed') THEN
        BEGIN
            CREATE ROLE coordplan_feed LOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- Another database of the same cluster is being migrated at this moment.
        END;
    END IF;
END $body$;

-- A system's assignment under one purpose: whoever pulls. Positions, numbers and what it was told are its own, so none tells of what others have.
CREATE TABLE change_receiver (
    receiver integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    assignment_id text NOT NULL REFERENCES assignment,
    purpose smallint NOT NULL,
    client_system text NOT NULL,
    -- The position given last; from 1 on, without gaps.
    position bigint NOT NULL DEFAULT 0,
    -- Which snapshot it is at, and the position before that.
    snapshot integer NOT NULL DEFAULT 1,
    snapshot_after bigint NOT NULL DEFAULT 0,
    -- Up to which position changes have been removed, because they were kept for long enough.
    removed bigint NOT NULL DEFAULT 0,
    -- Up to which position the system has confirmed.
    acknowledged bigint NOT NULL DEFAULT 0,
    acknowledged_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    UNIQUE (assignment_id, purpose, client_system)
);

-- What was changed and is not in order yet.
CREATE TABLE change_pending (
    pending_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    -- 1 plan, 2 participation, 3 meeting, 4 call, 5 who may know, 6 a receiver's rights; 8, 9, 10 a snapshot: begins, ends, one plan.
    kind smallint NOT NULL,
    plan_id uuid,
    item_id uuid,
    unit_id text,
    -- The category of the row, where it has one.
    category integer,
    receiver integer REFERENCES change_receiver,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

-- What a receiver may know of a plan for one unit of its organisation, and what it was told.
CREATE TABLE change_standing (
    receiver integer NOT NULL REFERENCES change_receiver,
    plan_id uuid NOT NULL REFERENCES plan,
    unit_id text NOT NULL REFERENCES unit,
    -- By the latest decision, when a change was put in order or delivered.
    reads integer NOT NULL,
    -- Was delivered and has not been recalled.
    told integer NOT NULL DEFAULT 0,
    -- The number given last to what was delivered.
    sequence bigint NOT NULL DEFAULT 0,
    -- The revision that the system has confirmed at least, and since when.
    held_revision integer NOT NULL DEFAULT 0,
    held_since timestamptz,
    PRIMARY KEY (receiver, plan_id, unit_id)
);
CREATE INDEX change_standing_by_plan ON change_standing (plan_id);

-- Changes in the order in which a receiver gets them. Which thing, never what it holds: that is read at delivery.
CREATE TABLE change_item (
    receiver integer NOT NULL REFERENCES change_receiver,
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    -- As the contract's ChangeKind.
    kind smallint NOT NULL,
    plan_id uuid REFERENCES plan,
    unit_id text REFERENCES unit,
    item_id uuid,
    -- The plan's established revision when the change was put in order.
    revision integer NOT NULL DEFAULT 0,
    sequenced_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The number for the unit and plan; null until it is delivered, 0 where it never was and never will be.
    sequence bigint,
    PRIMARY KEY (receiver, position),
    CHECK ((plan_id IS NULL) = (unit_id IS NULL))
);
CREATE INDEX change_item_by_plan ON change_item (plan_id, receiver, position);
CREATE INDEX change_item_by_event ON change_item (receiver, event_id);
CREATE INDEX change_item_by_time ON change_item (sequenced_at);

-- What a receiver is to forget, and its receipt. Kept.
CREATE TABLE change_recall (
    recall_id uuid PRIMARY KEY,
    receiver integer NOT NULL REFERENCES change_receiver,
    plan_id uuid NOT NULL REFERENCES plan,
    unit_id text NOT NULL REFERENCES unit,
    categories integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    receipt text,
    version integer NOT NULL DEFAULT 1
);
CREATE INDEX change_recall_by_plan ON change_recall (plan_id);

-- What a receiver could not process.
CREATE TABLE change_rejection (
    receiver integer NOT NULL,
    position bigint NOT NULL,
    plan_id uuid NOT NULL REFERENCES plan,
    unit_id text NOT NULL REFERENCES unit,
    reason smallint NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (receiver, position)
);
CREATE INDEX change_rejection_by_plan ON change_rejection (plan_id);

-- One row: the last day of which it was looked at what begins and ends with it.
CREATE TABLE change_day (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    day date NOT NULL
);

-- Triggers, so that no code path can forget a change, with the owner's rights, so that no role can keep one out. A row is noted in the transaction that changes it: what is
-- rolled back is never heard of, and what commits late is put in order late.
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = coordinationplan, pg_temp AS $body$
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'plan' THEN
            INSERT INTO change_pending (kind, plan_id) VALUES (1, NEW.plan_id);
        WHEN 'participation' THEN
            INSERT INTO change_pending (kind, plan_id, item_id, unit_id, category) VALUES (2, NEW.plan_id, NEW.participation_id, NEW.unit_id, NEW.category);
        WHEN 'meeting' THEN
            INSERT INTO change_pending (kind, plan_id, item_id) VALUES (3, NEW.plan_id, NEW.meeting_id);
        WHEN 'meeting_call' THEN
            INSERT INTO change_pending (kind, plan_id, item_id, unit_id, category) VALUES (4, NEW.plan_id, NEW.meeting_id, NEW.unit_id, NEW.category);
        WHEN 'consent', 'legal_release', 'school_arrangement' THEN
            INSERT INTO change_pending (kind, plan_id) VALUES (5, NEW.plan_id);
        WHEN 'block', 'subject' THEN
            INSERT INTO change_pending (kind, plan_id) SELECT 5, p.plan_id FROM plan p WHERE p.subject_id = NEW.subject_id;
        WHEN 'subject_key' THEN
            INSERT INTO change_pending (kind, plan_id) SELECT 5, p.plan_id FROM plan p WHERE p.subject_id = OLD.subject_id;
        WHEN 'assignment' THEN
            INSERT INTO change_pending (kind, receiver) SELECT 6, r.receiver FROM change_receiver r WHERE r.assignment_id = NEW.assignment_id;
        WHEN 'unit' THEN
            INSERT INTO change_pending (kind, plan_id) SELECT DISTINCT 5, s.plan_id FROM change_standing s WHERE s.unit_id = NEW.unit_id;
    END CASE;
    RETURN NULL;
END $body$;
ALTER FUNCTION note_change() OWNER TO coordplan_owner;
REVOKE ALL ON FUNCTION note_change() FROM PUBLIC;

CREATE TRIGGER note_change AFTER INSERT OR UPDATE ON plan FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note_change AFTER INSERT OR UPDATE ON participation FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note_change AFTER INSERT OR UPDATE ON meeting FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note_change AFTER INSERT OR UPDATE ON meeting_call FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note_change AFTER INSERT OR UPDATE ON consent FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note_change AFTER INSERT OR UPDATE ON legal_release FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note_change AFTER INSERT OR UPDATE ON school_arrangement FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note_change AFTER INSERT OR UPDATE ON block FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note_change AFTER UPDATE OF protection, identity_key ON subject FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note_change AFTER DELETE ON subject_key FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note_change AFTER UPDATE ON assignment FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER note_change AFTER UPDATE OF organisation_id, kind ON unit FOR EACH ROW EXECUTE FUNCTION note_change();

DO $body$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['change_receiver', 'change_pending', 'change_standing', 'change_item', 'change_recall', 'change_rejection', 'change_day'] LOOP
        EXECUTE format('ALTER TABLE %I OWNER TO coordplan_owner', name);
    END LOOP;
END $body$;

-- A call begins a feed, delivers, and confirms. What is in the feed and who may know of what it does not change.
GRANT SELECT ON change_receiver, change_standing, change_item, change_recall, change_rejection TO coordplan_case;
GRANT INSERT (assignment_id, purpose, client_system) ON change_receiver TO coordplan_case;
GRANT UPDATE (snapshot, snapshot_after, acknowledged, acknowledged_at, version) ON change_receiver TO coordplan_case;
GRANT INSERT (kind, receiver) ON change_pending TO coordplan_case;
GRANT UPDATE (reads, told, sequence, held_revision, held_since) ON change_standing TO coordplan_case;
GRANT UPDATE (sequence) ON change_item TO coordplan_case;
GRANT UPDATE (acknowledged_at, receipt, version) ON change_recall TO coordplan_case;
GRANT INSERT (receiver, position, plan_id, unit_id, reason) ON change_rejection TO coordplan_case;

GRANT USAGE ON SCHEMA coordinationplan TO coordplan_feed;
GRANT SELECT, INSERT, DELETE ON change_pending TO coordplan_feed;
GRANT SELECT, UPDATE (position, removed) ON change_receiver TO coordplan_feed;
GRANT SELECT, INSERT, UPDATE (reads, told) ON change_standing TO coordplan_feed;
GRANT SELECT, INSERT, DELETE ON change_item TO coordplan_feed;
GRANT SELECT, INSERT ON change_recall TO coordplan_feed;
GRANT SELECT, DELETE ON change_rejection TO coordplan_feed;
GRANT SELECT, INSERT, UPDATE ON change_day TO coordplan_feed;
GRANT SELECT ON organisation, unit, assignment, participation, meeting_call TO coordplan_feed;
-- The facts that decide, and no content.
GRANT SELECT (employee_id, organisation_id, person_key) ON employee TO coordplan_feed;
GRANT SELECT (plan_id, subject_id, owner_unit_id, owner_controller, state, revision, version, is_open) ON plan TO coordplan_feed;
GRANT SELECT (subject_id, identity_key, protection) ON subject TO coordplan_feed;
GRANT SELECT (subject_id, compartment, ring_key, wrapped) ON subject_key TO coordplan_feed;
GRANT SELECT (plan_id, state, recipient_units, categories, excluded_categories, purpose, starts_on, ends_on) ON consent TO coordplan_feed;
GRANT SELECT (plan_id, recipient_units, categories, overriding, purpose, starts_on, ends_on, ended_at) ON legal_release TO coordplan_feed;
GRANT SELECT (subject_id, kind, target, ends_on, lifted_at) ON block TO coordplan_feed;
GRANT SELECT (subject_id, assignment_id, expires_at) ON emergency_access TO coordplan_feed;
GRANT SELECT (subject_id, unit_id) ON whereabouts TO coordplan_feed;
GRANT SELECT (subject_id) ON location_secrecy TO coordplan_feed;
GRANT SELECT (plan_id, unit_id, state, ends_on, has_alias) ON school_arrangement TO coordplan_feed;
GRANT SELECT (plan_id, meeting_id) ON meeting TO coordplan_feed;
