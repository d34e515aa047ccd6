-- The first schema: directory, plans and their parts, consents, the access log.
--
-- Who may do what in the database, the second wall behind the access policy:
--   coordplan_owner       owns everything, cannot log in
--   coordplan_case        the service's work with cases: reads the directory, writes plans, adds to the access log and cannot read it
--   coordplan_log_review  searches the access log and adds to it; reads no plan
--   coordplan_directory   writes the directory, adds to the access log; reads no plan
-- Nobody may change or remove what stands in the access log or in a history table.

CREATE SCHEMA IF NOT EXISTS coordinationplan;
SET LOCAL search_path = coordinationplan;

-- One row: what this database is for. A development service refuses a production database and the other way round.
CREATE TABLE installation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    kind text NOT NULL CHECK (kind IN ('development', 'production')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- ---------------------------------------------------------------------------------------------------------------- directory

CREATE TABLE organisation (
    organisation_id text PRIMARY KEY,
    kind smallint NOT NULL,
    display_name text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE board (
    board_id text PRIMARY KEY,
    organisation_id text NOT NULL REFERENCES organisation,
    display_name text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (board_id, organisation_id)
);

CREATE TABLE unit (
    unit_id text PRIMARY KEY,
    organisation_id text NOT NULL REFERENCES organisation,
    board_id text,
    kind smallint NOT NULL,
    display_name text NOT NULL,
    -- The data controller of what the unit writes: its board, or its organisation where it has none.
    controller text NOT NULL GENERATED ALWAYS AS (CASE WHEN board_id IS NULL THEN 'organisations/' || organisation_id ELSE 'boards/' || board_id END) STORED,
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (board_id, organisation_id) REFERENCES board (board_id, organisation_id)
);

CREATE TABLE employee (
    employee_id text PRIMARY KEY,
    organisation_id text NOT NULL REFERENCES organisation,
    display_name text NOT NULL,
    -- Keyed hash of the employee's own identity number, where it is known: who is a guardian or a subject is blocked by it.
    person_key bytea,
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE assignment (
    assignment_id text PRIMARY KEY,
    employee_id text REFERENCES employee,
    client_system text,
    unit_id text NOT NULL REFERENCES unit,
    role smallint NOT NULL,
    -- A set of purposes: bit n is purpose number n.
    purposes integer NOT NULL,
    starts_on date NOT NULL,
    ends_on date,
    revoked boolean NOT NULL DEFAULT false,
    -- The assignment is for protected persons.
    protected_persons boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((employee_id IS NULL) <> (client_system IS NULL))
);

-- -------------------------------------------------------------------------------------------------------------------- cases

-- A person, once, under a pseudonymous id. Names are not here: each plan holds the name that its own unit wrote.
CREATE TABLE subject (
    subject_id uuid PRIMARY KEY,
    -- Keyed hash of the identity number, by which the person is found; the key is not in the database. Null where the person has been disposed of.
    identity_key bytea UNIQUE,
    -- The number itself, sealed with the person's key.
    identity bytea,
    -- 0 is not known, and counts as the highest.
    protection smallint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One data key for each person and compartment (1 content, 2 whereabouts), wrapped by the key ring outside the database. Deleting the row is
-- the disposal of what it sealed. No history.
CREATE TABLE subject_key (
    subject_id uuid NOT NULL REFERENCES subject,
    compartment smallint NOT NULL,
    ring_key text NOT NULL,
    wrapped bytea NOT NULL,
    PRIMARY KEY (subject_id, compartment)
);
CREATE INDEX subject_key_by_ring_key ON subject_key (ring_key);

-- How a person is protected, each decision with its day and source. The current level is the subject's.
CREATE TABLE protection_decision (
    subject_id uuid NOT NULL REFERENCES subject,
    decision_id uuid NOT NULL,
    level smallint NOT NULL,
    source smallint NOT NULL,
    decided_on date NOT NULL,
    body bytea NOT NULL,
    changed_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (subject_id, decision_id)
);

-- Who is kept out of everything about a person, in every plan, also those to come.
CREATE TABLE block (
    subject_id uuid NOT NULL REFERENCES subject,
    block_id uuid NOT NULL,
    -- 2 employee, 3 unit, 4 guardian: the policy's numbers.
    kind smallint NOT NULL,
    -- Whom: employees/…, units/… as the directory is stored, persons/… by keyed hash.
    target text NOT NULL,
    body bytea NOT NULL,
    decided_on date NOT NULL,
    review_on date,
    ends_on date,
    lifted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (subject_id, block_id)
);

-- Where a person stays: a compartment of its own, sealed with a key of its own.
CREATE TABLE whereabouts (
    subject_id uuid PRIMARY KEY REFERENCES subject,
    -- The unit of placement, as the directory is stored; null where the person stays elsewhere.
    unit_id text REFERENCES unit,
    body bytea NOT NULL,
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- That a person's whereabouts are kept secret from a guardian. Never opens anything by lapsing: an overdue review is a task.
CREATE TABLE location_secrecy (
    subject_id uuid NOT NULL REFERENCES subject,
    decision_id uuid NOT NULL,
    target text NOT NULL,
    body bytea NOT NULL,
    decided_on date NOT NULL,
    review_on date NOT NULL,
    ended_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (subject_id, decision_id),
    CHECK (review_on <= (decided_on + interval '6 months')::date)
);

CREATE TABLE plan (
    plan_id uuid PRIMARY KEY,
    subject_id uuid NOT NULL REFERENCES subject,
    owner_unit_id text NOT NULL REFERENCES unit,
    owner_controller text NOT NULL,
    state smallint NOT NULL,
    revision integer NOT NULL DEFAULT 0,
    legal_basis text NOT NULL,
    lead_principal text REFERENCES organisation,
    coordinator text REFERENCES employee,
    no_other_measures boolean NOT NULL DEFAULT false,
    follow_up_on date,
    established_on date,
    closed_on date,
    closing_reason smallint,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX plan_by_owner ON plan (owner_unit_id, created_at DESC, plan_id DESC);
CREATE INDEX plan_by_subject ON plan (subject_id);

-- The contents, one row for each part that is changed and released as one: a text of the frame, a goal, an intervention, a measure.
CREATE TABLE plan_part (
    plan_id uuid NOT NULL REFERENCES plan,
    part_id uuid NOT NULL,
    kind smallint NOT NULL,
    -- The one information category of everything in the body: bit n is category number n.
    category integer NOT NULL,
    -- The unit that answers for it, where one does.
    unit_id text REFERENCES unit,
    state smallint NOT NULL,
    -- The part as a protobuf message.
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, part_id)
);

CREATE TABLE participation (
    plan_id uuid NOT NULL REFERENCES plan,
    participation_id uuid NOT NULL,
    unit_id text NOT NULL REFERENCES unit,
    -- MEETINGS, or WHEREABOUTS where the unit is a sheltered housing: that it takes part is where the person is.
    category integer NOT NULL,
    starts_on date NOT NULL,
    ends_on date,
    ended_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, participation_id)
);
CREATE UNIQUE INDEX participation_once ON participation (plan_id, unit_id) WHERE ended_at IS NULL;
CREATE INDEX participation_by_unit ON participation (unit_id, plan_id) WHERE ended_at IS NULL;

CREATE TABLE consent (
    plan_id uuid NOT NULL REFERENCES plan,
    consent_id uuid NOT NULL,
    state smallint NOT NULL,
    recipient_units text[] NOT NULL,
    categories integer NOT NULL,
    excluded_categories integer NOT NULL,
    purpose smallint NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    form smallint NOT NULL,
    given_by smallint NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, consent_id)
);

-- A release on legal ground: what lets a recipient read without a consent.
CREATE TABLE legal_release (
    plan_id uuid NOT NULL REFERENCES plan,
    release_id uuid NOT NULL,
    ground text NOT NULL,
    -- The ground holds in spite of a refusal.
    overriding boolean NOT NULL,
    recipient_units text[] NOT NULL,
    categories integer NOT NULL,
    purpose smallint NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    review_on date NOT NULL,
    body bytea NOT NULL,
    ended_at timestamptz,
    reviewed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, release_id)
);

-- Emergency access: one person, one assignment, some minutes by the database's clock.
CREATE TABLE emergency_access (
    access_id uuid PRIMARY KEY,
    -- Null where the service knows no such person: the caller is not told.
    subject_id uuid REFERENCES subject,
    assignment_id text NOT NULL,
    unit_id text NOT NULL,
    opened_by text NOT NULL,
    reason smallint NOT NULL,
    body bytea NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    review_by date NOT NULL,
    review_outcome smallint,
    reviewed_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (expires_at <= opened_at + interval '60 minutes')
);
CREATE INDEX emergency_access_by_subject ON emergency_access (subject_id, expires_at);

-- What a unit or its reviewers must hear of at once.
CREATE TABLE alert (
    alert_id uuid PRIMARY KEY,
    kind smallint NOT NULL,
    -- Whose: a unit, or the reviewers of a controller.
    unit_id text,
    controller text NOT NULL,
    plan_id uuid,
    -- Who is behind it, as the directory is stored; the names are in the sealed body.
    actor text,
    body bytea NOT NULL,
    raised_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX alert_by_unit ON alert (unit_id, raised_at DESC, alert_id DESC);
CREATE INDEX alert_by_actor ON alert (actor, raised_at) WHERE actor IS NOT NULL;
CREATE INDEX alert_by_controller ON alert (controller, raised_at DESC, alert_id DESC);

-- Searches that found nothing: many of them by one employee raise an alert.
CREATE TABLE search_miss (
    employee_id text NOT NULL,
    missed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX search_miss_by_employee ON search_miss (employee_id, missed_at);

-- What a plan is found by beside the person's number: keyed hashes of the person's name (kind 1) and of the case number (kind 2).
CREATE TABLE plan_search_key (
    plan_id uuid NOT NULL REFERENCES plan,
    kind smallint NOT NULL,
    search_key bytea NOT NULL,
    PRIMARY KEY (plan_id, kind)
);
CREATE INDEX plan_search_key_by_key ON plan_search_key (search_key);

-- The service's own keys, wrapped by the key ring.
CREATE TABLE service_key (
    name text PRIMARY KEY,
    ring_key text NOT NULL,
    wrapped bytea NOT NULL
);

-- An established revision: which version of which part was agreed. The versions themselves stay in plan_part or its history.
CREATE TABLE plan_revision (
    plan_id uuid NOT NULL REFERENCES plan,
    revision integer NOT NULL,
    plan_version integer NOT NULL,
    established_by text NOT NULL,
    established_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, revision)
);
CREATE TABLE plan_revision_part (
    plan_id uuid NOT NULL,
    revision integer NOT NULL,
    part_id uuid NOT NULL,
    part_version integer NOT NULL,
    PRIMARY KEY (plan_id, revision, part_id),
    FOREIGN KEY (plan_id, revision) REFERENCES plan_revision
);

-- The first answer to each change, so that a retry is answered again and done once.
CREATE TABLE request_outcome (
    caller text NOT NULL,
    request_id uuid NOT NULL,
    method text NOT NULL,
    request_hash bytea NOT NULL,
    response bytea NOT NULL,
    -- Whom the first answer was about, for the log entry of a retry.
    plan_id uuid,
    subject_id uuid,
    owner_controller text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (caller, request_id)
);
-- The same for changes of the directory, apart, because the role that writes it may see no case.
CREATE TABLE directory_request_outcome (LIKE request_outcome INCLUDING DEFAULTS INCLUDING INDEXES);

-- ------------------------------------------------------------------------------------------------------------------ history

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $body$;

-- What stands in the table stays, whoever comes, its owner too.
CREATE FUNCTION keep_as_written(table_name text) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON coordinationplan.%I FOR EACH ROW EXECUTE FUNCTION coordinationplan.refuse_change()', table_name);
    EXECUTE format(
        'CREATE TRIGGER never_emptied BEFORE TRUNCATE ON coordinationplan.%I FOR EACH STATEMENT EXECUTE FUNCTION coordinationplan.refuse_change()', table_name);
END $body$;

-- Keeps every row that an UPDATE replaces, in <table>_history. A trigger, so that no code path can forget it, with the owner's rights, so that
-- no role can write a history of its own.
CREATE FUNCTION keep_history_of(table_name text) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE format('CREATE TABLE coordinationplan.%1$I (LIKE coordinationplan.%2$I, superseded_at timestamptz NOT NULL)', table_name || '_history', table_name);
    PERFORM coordinationplan.keep_as_written(table_name || '_history');
    EXECUTE format(
        'CREATE FUNCTION coordinationplan.%1$I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = coordinationplan, pg_temp AS $trigger$
         BEGIN
             INSERT INTO coordinationplan.%2$I SELECT OLD.*, clock_timestamp();
             RETURN NULL;
         END $trigger$',
        'keep_' || table_name, table_name || '_history');
    EXECUTE format('CREATE TRIGGER keep_history AFTER UPDATE ON coordinationplan.%1$I FOR EACH ROW EXECUTE FUNCTION coordinationplan.%2$I()', table_name, 'keep_' || table_name);
END $body$;

SELECT keep_history_of(name)
FROM unnest(ARRAY['organisation', 'board', 'unit', 'employee', 'assignment', 'plan', 'plan_part', 'participation', 'consent', 'block', 'whereabouts', 'location_secrecy', 'legal_release', 'emergency_access']) AS name;

CREATE INDEX plan_part_history_by_part ON plan_part_history (plan_id, part_id, version);
CREATE INDEX plan_history_by_plan ON plan_history (plan_id, version);

-- --------------------------------------------------------------------------------------------------------------- access log

-- One row for each access or refused attempt and person (HSLF-FS 2016:40 4:9; SoLPuL 2001:454 10 §). Insert only.
CREATE TABLE access_log (
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    entry_id uuid NOT NULL,
    act smallint NOT NULL,
    outcome smallint NOT NULL,
    reason text NOT NULL,
    method text NOT NULL,
    employee_id text,
    client_system text NOT NULL,
    assignment_id text,
    role smallint,
    unit_id text,
    actor_controller text,
    purpose smallint,
    plan_id uuid,
    subject_id uuid,
    owner_controller text,
    -- The entry of the directory that was changed.
    resource text,
    categories integer NOT NULL,
    policy_version integer NOT NULL,
    trace_id bytea,
    -- What was decided and of what, without who: a later policy can be run over it. Null where the call failed before it was decided.
    decision bytea
) PARTITION BY RANGE (occurred_at);
CREATE INDEX access_log_by_time ON access_log (occurred_at DESC, entry_id DESC);
CREATE INDEX access_log_by_plan ON access_log (plan_id, occurred_at DESC, entry_id DESC) WHERE plan_id IS NOT NULL;
CREATE INDEX access_log_by_subject ON access_log (subject_id, occurred_at DESC, entry_id DESC) WHERE subject_id IS NOT NULL;
CREATE INDEX access_log_by_employee ON access_log (employee_id, occurred_at DESC, entry_id DESC) WHERE employee_id IS NOT NULL;
CREATE INDEX access_log_by_unit ON access_log (unit_id, occurred_at DESC, entry_id DESC) WHERE unit_id IS NOT NULL;

SELECT keep_as_written('access_log');

-- Makes the monthly partitions from this month on. Called by the service at start and daily; runs with the owner's rights, because the
-- service's own roles can create nothing.
CREATE FUNCTION ensure_access_log_partitions(months_ahead integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = coordinationplan, pg_temp AS $body$
DECLARE
    first_day date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
    month date;
    partition_name text;
BEGIN
    IF months_ahead NOT BETWEEN 1 AND 36 THEN
        RAISE EXCEPTION 'months_ahead must be between 1 and 36';
    END IF;
    PERFORM pg_advisory_xact_lock(7200001);
    FOR i IN 0..months_ahead LOOP
        month := (first_day + make_interval(months => i))::date;
        partition_name := 'access_log_' || to_char(month, 'YYYYMM');
        IF to_regclass('coordinationplan.' || partition_name) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF access_log FOR VALUES FROM (%L) TO (%L)',
                partition_name,
                month::text || ' 00:00:00+00',
                ((month + interval '1 month')::date)::text || ' 00:00:00+00');
            -- Triggers for rows come with the partition, this one does not.
            EXECUTE format('CREATE TRIGGER never_emptied BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', partition_name);
        END IF;
    END LOOP;
END $body$;

-- ------------------------------------------------------------------------------------------------------------------- rights

DO $body$
DECLARE
    role_name text;
    object record;
BEGIN
    FOR role_name IN SELECT unnest(ARRAY['coordplan_owner', 'coordplan_case', 'coordplan_log_review', 'coordplan_directory', 'coordplan_keys']) LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I %s', role_name, CASE role_name WHEN 'coordplan_owner' THEN 'NOLOGIN' ELSE 'LOGIN' END);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- Another database of the same cluster is being migrated at this moment.
            END;
        END IF;
    END LOOP;

    EXECUTE 'ALTER SCHEMA coordinationplan OWNER TO coordplan_owner';
    FOR object IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relnamespace = 'coordinationplan'::regnamespace AND c.relkind IN ('r', 'p') LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO coordplan_owner', object.name);
    END LOOP;
    FOR object IN SELECT p.oid::regprocedure AS name FROM pg_proc p WHERE p.pronamespace = 'coordinationplan'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO coordplan_owner', object.name);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', object.name);
    END LOOP;
END $body$;

GRANT USAGE ON SCHEMA coordinationplan TO coordplan_case, coordplan_log_review, coordplan_directory, coordplan_keys;
GRANT EXECUTE ON FUNCTION ensure_access_log_partitions(integer) TO coordplan_case;

GRANT SELECT ON installation, organisation, board, unit, employee, assignment TO coordplan_case, coordplan_log_review, coordplan_directory;
-- Not occurred_at: the time is the database's own.
GRANT INSERT (
    entry_id, act, outcome, reason, method, employee_id, client_system, assignment_id, role, unit_id, actor_controller, purpose, plan_id, subject_id,
    owner_controller, resource, categories, policy_version, trace_id, decision
) ON access_log TO coordplan_case, coordplan_log_review, coordplan_directory;

GRANT SELECT, INSERT ON plan_revision, plan_revision_part, request_outcome, protection_decision, alert, search_miss TO coordplan_case;
GRANT SELECT, INSERT, UPDATE ON subject, plan, plan_part, participation, consent, block, whereabouts, location_secrecy, legal_release, emergency_access, plan_search_key
TO coordplan_case;
-- Disposal destroys keys and what a person is found by; nothing else is ever deleted.
GRANT SELECT, INSERT, DELETE ON subject_key, plan_search_key TO coordplan_case;
GRANT SELECT, INSERT ON service_key TO coordplan_case;
GRANT SELECT ON service_key TO coordplan_log_review, coordplan_directory;

GRANT SELECT ON access_log, subject TO coordplan_log_review;
-- A reviewer is kept out of what a block keeps him out of.
GRANT SELECT (subject_id, target, lifted_at, ends_on) ON block TO coordplan_log_review;

-- The keys of the ring are changed by this role alone.
GRANT SELECT, UPDATE ON subject_key, service_key TO coordplan_keys;

GRANT INSERT, UPDATE ON organisation, board, unit, employee, assignment TO coordplan_directory;
GRANT SELECT, INSERT ON directory_request_outcome TO coordplan_directory;

SELECT ensure_access_log_partitions(24);
