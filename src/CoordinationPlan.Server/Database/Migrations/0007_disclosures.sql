-- Documents that leave for receivers outside a plan.
--
-- Runs with the service before it and the service after it: it changes no table.

SET LOCAL search_path = coordinationplan;

-- What was sent, to whom, on what ground. Added and never changed. Sealed with the person's key of the whereabouts, whatever was found in it.
CREATE TABLE disclosure (
    plan_id uuid NOT NULL REFERENCES plan,
    disclosure_id uuid NOT NULL,
    kind smallint NOT NULL,
    ground text NOT NULL,
    -- Receiver, decision, accepted findings, reason, warning.
    body bytea NOT NULL,
    -- The document, apart, so that lists do not read it.
    document bytea NOT NULL,
    added_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, disclosure_id)
);
ALTER TABLE disclosure OWNER TO coordplan_owner;
SELECT keep_as_written('disclosure');
GRANT SELECT, INSERT ON disclosure TO coordplan_case;
