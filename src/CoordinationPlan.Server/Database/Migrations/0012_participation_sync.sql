-- What the regions' systems say of who takes part (docs/adr/0024).
--
-- Runs with the service before it and the service after it: it changes no table that is there.

SET LOCAL search_path = coordinationplan;

-- What a region's system says of one unit's part in a plan, under its own id of it. Three things that only grow, each by its own order: the newest that was
-- said, the newest ending that was said, and the latest answer of a person here; and what follows from them.
CREATE TABLE synced_participation (
    plan_id uuid NOT NULL REFERENCES plan,
    synced_id uuid NOT NULL,
    organisation_id text NOT NULL REFERENCES organisation,
    unit_id text NOT NULL REFERENCES unit,
    -- The keyed hash of the system's own id of it: that may tell who the person is.
    external_key bytea NOT NULL CHECK (octet_length(external_key) = 32),
    -- The newest that was said. Of two with the same version the greater digest wins, a keyed hash of what it says.
    external_version bigint NOT NULL CHECK (external_version > 0),
    external_digest bytea NOT NULL CHECK (octet_length(external_digest) = 16),
    external_time timestamptz NOT NULL,
    client_system text NOT NULL,
    received_at timestamptz NOT NULL,
    role smallint NOT NULL,
    starts_on date NOT NULL,
    ends_on date,
    ended boolean NOT NULL,
    -- The system's own id of it and the named care contact, sealed with the person's key.
    body bytea NOT NULL,
    -- The newest ending that was said: what was accepted before it is accepted no longer.
    ended_version bigint,
    ended_digest bytea,
    -- The latest answer: 0 none, 1 accepted, 2 declined; how many there have been, to what it was given, and which days are accepted.
    answer smallint NOT NULL DEFAULT 0 CHECK (answer BETWEEN 0 AND 2),
    answer_number integer NOT NULL DEFAULT 0,
    answered_version bigint,
    answered_digest bytea,
    answered_at timestamptz,
    accepted_from date,
    accepted_to date,
    -- What follows: 1 waits, 2 in step, 3 ended, 4 declined, 5 conflict.
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
    -- Which of 1 and 5 it is, or was the last time, and since when.
    asked smallint CHECK (asked IN (1, 5)),
    asked_at timestamptz,
    -- The participation that rests on it.
    participation_id uuid,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, synced_id),
    UNIQUE (plan_id, organisation_id, unit_id, external_key),
    FOREIGN KEY (plan_id, participation_id) REFERENCES participation,
    CHECK (ends_on >= starts_on),
    CHECK ((answer = 0) = (answered_version IS NULL)),
    CHECK (state NOT IN (1, 5) OR (asked = state AND asked_at IS NOT NULL))
);
CREATE INDEX synced_participation_to_answer ON synced_participation (plan_id, state) WHERE state IN (1, 5);

SELECT keep_history_of('synced_participation');
ALTER TABLE synced_participation OWNER TO coordplan_owner;
ALTER TABLE synced_participation_history OWNER TO coordplan_owner;
ALTER FUNCTION keep_synced_participation() OWNER TO coordplan_owner;
REVOKE ALL ON FUNCTION keep_synced_participation() FROM PUBLIC;

GRANT SELECT, INSERT, UPDATE ON synced_participation TO coordplan_case;
