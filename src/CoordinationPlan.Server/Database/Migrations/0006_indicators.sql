-- Counts for follow-up: who came to the meetings, as it stood when a tertial was fixed.
--
-- Runs with the service before it and the service after it: it changes no table.

SET LOCAL search_path = coordinationplan;

-- A tertial's counts are of how things stood on a day, whatever was written since (docs/adr/0018).
GRANT SELECT ON meeting_history, meeting_call_history TO coordplan_case;

CREATE INDEX meeting_by_start ON meeting (starts_at);
CREATE INDEX meeting_history_by_start ON meeting_history (starts_at);
CREATE INDEX meeting_call_history_by_meeting ON meeting_call_history (plan_id, meeting_id);

-- A board's registrations of its routine for the schooling of children in sheltered housing. Added and never changed; a later one with the same reference counts.
CREATE TABLE school_routine (
    -- The board, or the organisation where there is none: as unit.controller.
    controller text NOT NULL,
    version integer NOT NULL,
    -- As the directory is stored, and so the decider.
    reference text NOT NULL,
    form smallint NOT NULL,
    decision_level smallint NOT NULL,
    decider text NOT NULL,
    decided_on date NOT NULL,
    valid_to date NOT NULL CHECK (valid_to >= decided_on),
    added_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (controller, version)
);
ALTER TABLE school_routine OWNER TO coordplan_owner;
SELECT keep_as_written('school_routine');
GRANT SELECT, INSERT ON school_routine TO coordplan_case;
