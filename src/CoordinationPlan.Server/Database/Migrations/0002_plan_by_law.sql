-- The plan by law: its steps, meetings and calls to them, risk assessments, consents in full.
--
-- Runs with the service before it and the service after it: what it adds to a table has a default or may be absent.

SET LOCAL search_path = coordinationplan;

ALTER TABLE plan
    ADD COLUMN decline_reason smallint,
    -- Worked on: not CLOSED, REFUSED or DECLINED.
    ADD COLUMN is_open boolean GENERATED ALWAYS AS (state NOT IN (3, 6, 7)) STORED;

-- How it was given in full, sealed: evidence, representative, the child's own view, guardians who are missing.
ALTER TABLE consent ADD COLUMN body bytea;

CREATE TABLE meeting (
    plan_id uuid NOT NULL REFERENCES plan,
    meeting_id uuid NOT NULL,
    kind smallint NOT NULL,
    state smallint NOT NULL,
    starts_at timestamptz NOT NULL,
    form smallint NOT NULL,
    -- Place, agenda, minutes and decisions, sealed.
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, meeting_id)
);

-- The call of one unit to a meeting.
CREATE TABLE meeting_call (
    plan_id uuid NOT NULL,
    meeting_id uuid NOT NULL,
    unit_id text NOT NULL REFERENCES unit,
    -- MEETINGS, or WHEREABOUTS for a sheltered housing, as its participation.
    category integer NOT NULL,
    kind smallint NOT NULL,
    reply smallint NOT NULL DEFAULT 0,
    replied_at timestamptz,
    attendance smallint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, meeting_id, unit_id),
    FOREIGN KEY (plan_id, meeting_id) REFERENCES meeting
);

-- A structured assessment of risk. Never changed but for what takes its place.
CREATE TABLE risk_assessment (
    plan_id uuid NOT NULL REFERENCES plan,
    assessment_id uuid NOT NULL,
    instrument smallint NOT NULL,
    assessed_on date NOT NULL,
    reassess_on date NOT NULL,
    superseded_by uuid,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, assessment_id)
);

-- The content of a plan at a moment, proposed as the next revision. Content is never removed and each change raises a version, so the sum of the versions
-- of the plan and its parts says whether it is still the same: of all of it, and of what is shared, which is without what tells where the person is.
CREATE TABLE plan_proposal (
    plan_id uuid NOT NULL REFERENCES plan,
    proposal_id uuid NOT NULL,
    content_version bigint NOT NULL,
    shared_version bigint NOT NULL,
    established_revision integer,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, proposal_id)
);

-- What one unit answers to a proposal.
CREATE TABLE proposal_answer (
    plan_id uuid NOT NULL,
    proposal_id uuid NOT NULL,
    unit_id text NOT NULL REFERENCES unit,
    -- GOALS_AND_INTERVENTIONS, or WHEREABOUTS for a sheltered housing.
    category integer NOT NULL,
    answer smallint NOT NULL,
    answered_at timestamptz NOT NULL,
    -- The reason, sealed; null where none was given.
    body bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, proposal_id, unit_id),
    FOREIGN KEY (plan_id, proposal_id) REFERENCES plan_proposal
);

-- Notices about a stay in inpatient care. Added and never changed.
CREATE TABLE discharge_notice (
    plan_id uuid NOT NULL REFERENCES plan,
    notice_id uuid NOT NULL,
    kind smallint NOT NULL,
    noticed_at timestamptz NOT NULL,
    -- The last day for the summons, where one is due.
    summons_due_on date,
    body bytea NOT NULL,
    added_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, notice_id)
);
ALTER TABLE discharge_notice OWNER TO coordplan_owner;
SELECT keep_as_written('discharge_notice');
GRANT SELECT, INSERT ON discharge_notice TO coordplan_case;

-- Gives a history table the columns that its table has gained, and its trigger every column by name.
CREATE FUNCTION extend_history_of(table_name text) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    gained record;
    columns text;
    olds text;
BEGIN
    FOR gained IN
        SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type
        FROM pg_attribute a
        WHERE a.attrelid = format('coordinationplan.%I', table_name)::regclass AND a.attnum > 0 AND NOT a.attisdropped
          AND NOT EXISTS (
              SELECT FROM pg_attribute h
              WHERE h.attrelid = format('coordinationplan.%I', table_name || '_history')::regclass AND h.attname = a.attname AND NOT h.attisdropped)
    LOOP
        EXECUTE format('ALTER TABLE coordinationplan.%I ADD COLUMN %I %s', table_name || '_history', gained.attname, gained.type);
    END LOOP;

    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), string_agg('OLD.' || quote_ident(a.attname), ', ' ORDER BY a.attnum)
    INTO columns, olds
    FROM pg_attribute a
    WHERE a.attrelid = format('coordinationplan.%I', table_name)::regclass AND a.attnum > 0 AND NOT a.attisdropped;
    EXECUTE format(
        'CREATE OR REPLACE FUNCTION coordinationplan.%1$I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = coordinationplan, pg_temp AS $trigger$
         BEGIN
             INSERT INTO coordinationplan.%2$I (%3$s, superseded_at) SELECT %4$s, clock_timestamp();
             RETURN NULL;
         END $trigger$',
        'keep_' || table_name, table_name || '_history', columns, olds);
END $body$;

SELECT extend_history_of(name) FROM unnest(ARRAY['plan', 'consent']) AS name;
SELECT keep_history_of(name) FROM unnest(ARRAY['meeting', 'meeting_call', 'risk_assessment', 'plan_proposal', 'proposal_answer']) AS name;

DO $body$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['meeting', 'meeting_call', 'risk_assessment', 'plan_proposal', 'proposal_answer'] LOOP
        EXECUTE format('ALTER TABLE %I OWNER TO coordplan_owner', name);
        EXECUTE format('ALTER TABLE %I OWNER TO coordplan_owner', name || '_history');
        EXECUTE format('ALTER FUNCTION %I() OWNER TO coordplan_owner', 'keep_' || name);
        EXECUTE format('REVOKE ALL ON FUNCTION %I() FROM PUBLIC', 'keep_' || name);
    END LOOP;
    ALTER FUNCTION extend_history_of(text) OWNER TO coordplan_owner;
    REVOKE ALL ON FUNCTION extend_history_of(text) FROM PUBLIC;
END $body$;

-- What was agreed is read as it was.
GRANT SELECT ON plan_history, plan_part_history TO coordplan_case;
GRANT SELECT, INSERT, UPDATE ON meeting, meeting_call, risk_assessment, plan_proposal, proposal_answer TO coordplan_case;
