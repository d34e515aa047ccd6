-- Copies of plans: that each was issued, to whom, when, of which revision. The documents are not kept here.
--
-- Runs with the service before it and the service after it: the table is new.

SET LOCAL search_path = coordinationplan;

-- Added and never changed.
CREATE TABLE plan_copy (
    plan_id uuid NOT NULL REFERENCES plan,
    copy_id uuid NOT NULL,
    receiver smallint NOT NULL,
    -- Counted for each receiver by itself: a gap would tell of a unit that is not shown.
    number integer NOT NULL,
    -- The unit that issued it, and received it where it was for itself.
    unit_id text NOT NULL REFERENCES unit,
    -- EXISTENCE, or WHEREABOUTS for a sheltered housing, as its participation.
    category integer NOT NULL,
    -- 0 for the plan as it was.
    revision integer NOT NULL,
    -- The categories that the document holds, and its hash.
    held integer NOT NULL,
    sha256 bytea NOT NULL,
    issued_by text NOT NULL,
    issued_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, copy_id),
    UNIQUE (plan_id, receiver, unit_id, number)
);
ALTER TABLE plan_copy OWNER TO coordplan_owner;
SELECT keep_as_written('plan_copy');
GRANT SELECT, INSERT ON plan_copy TO coordplan_case;
