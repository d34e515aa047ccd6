-- School for children in sheltered housing: the arrangement, the attendance that is reported, and a category of its own for which school it is.
--
-- Runs with the service before it and the service after it: what it adds to a table may be absent. The service before it writes a school's participation as
-- MEETINGS: run it when no such service writes any more, or once more what stands under "Which school it is".

SET LOCAL search_path = coordinationplan;

-- The code of a school unit, as the directory's names encrypted.
ALTER TABLE unit ADD COLUMN school_unit_code text;

-- Since which day the person stays there, and the year of birth, by which a placed child's schooling is due. Absent where written before: then the day of the
-- change counts, and the person counts as a child.
ALTER TABLE whereabouts
    ADD COLUMN since_on date,
    ADD COLUMN birth_year smallint;

-- How a child's schooling is arranged, with one school.
CREATE TABLE school_arrangement (
    plan_id uuid NOT NULL REFERENCES plan,
    arrangement_id uuid NOT NULL,
    -- The school, as the directory is stored; null while there is none.
    unit_id text REFERENCES unit,
    state smallint NOT NULL,
    starts_on date,
    ends_on date,
    follow_up_on date,
    reviewed_on date,
    handed_over_on date,
    -- When the education office of the home municipality and the leaving school were informed last.
    office_informed_on date,
    school_informed_on date,
    -- An alias is agreed with the school, which then never gets the identity.
    has_alias boolean NOT NULL DEFAULT false,
    -- All that it says, sealed.
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, arrangement_id),
    CHECK (ends_on >= starts_on),
    -- A place is at a school, from a day on; 3 to 6 are the stages in which the school has a view.
    CHECK (state NOT BETWEEN 3 AND 6 OR (unit_id IS NOT NULL AND starts_on IS NOT NULL))
);
CREATE UNIQUE INDEX school_arrangement_once ON school_arrangement (plan_id, unit_id) WHERE state < 6;

-- What a school has reported of one week, in hours.
CREATE TABLE school_attendance (
    plan_id uuid NOT NULL,
    arrangement_id uuid NOT NULL,
    -- The Monday of the week.
    week_on date NOT NULL,
    possible smallint NOT NULL,
    present smallint NOT NULL,
    absent_valid smallint NOT NULL,
    absent_invalid smallint NOT NULL,
    -- The latest reports together, when this one was made, showed a pattern of absence.
    is_pattern boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan_id, arrangement_id, week_on),
    FOREIGN KEY (plan_id, arrangement_id) REFERENCES school_arrangement,
    CHECK (present >= 0 AND absent_valid >= 0 AND absent_invalid >= 0 AND present + absent_valid + absent_invalid = possible)
);

SELECT extend_history_of(name) FROM unnest(ARRAY['unit', 'whereabouts']) AS name;
SELECT keep_history_of(name) FROM unnest(ARRAY['school_arrangement', 'school_attendance']) AS name;

-- Which school it is (SCHOOL_PLACEMENT, category 17): of whatever names a school to others, under the category of its own from now on. Interventions and
-- protection measures are sealed with their category and keep it; where one names a school, reading asks for the category of its own all the same.
ALTER TABLE participation DISABLE TRIGGER keep_history;
UPDATE participation p SET category = 1 << 17 FROM unit u WHERE u.unit_id = p.unit_id AND u.kind = 3;
ALTER TABLE participation ENABLE TRIGGER keep_history;
ALTER TABLE meeting_call DISABLE TRIGGER keep_history;
UPDATE meeting_call c SET category = 1 << 17 FROM unit u WHERE u.unit_id = c.unit_id AND u.kind = 3;
ALTER TABLE meeting_call ENABLE TRIGGER keep_history;
ALTER TABLE proposal_answer DISABLE TRIGGER keep_history;
UPDATE proposal_answer a SET category = 1 << 17 FROM unit u WHERE u.unit_id = a.unit_id AND u.kind = 3;
ALTER TABLE proposal_answer ENABLE TRIGGER keep_history;
ALTER TABLE plan_copy DISABLE TRIGGER USER;
UPDATE plan_copy c SET category = 1 << 17 FROM unit u WHERE u.unit_id = c.unit_id AND u.kind = 3;
ALTER TABLE plan_copy ENABLE TRIGGER USER;

DO $body$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['school_arrangement', 'school_attendance'] LOOP
        EXECUTE format('ALTER TABLE %I OWNER TO coordplan_owner', name);
        EXECUTE format('ALTER TABLE %I OWNER TO coordplan_owner', name || '_history');
        EXECUTE format('ALTER FUNCTION %I() OWNER TO coordplan_owner', 'keep_' || name);
        EXECUTE format('REVOKE ALL ON FUNCTION %I() FROM PUBLIC', 'keep_' || name);
    END LOOP;
END $body$;

GRANT SELECT, INSERT, UPDATE ON school_arrangement, school_attendance TO coordplan_case;
-- What was done of the schooling: only what the tasks need.
GRANT SELECT (plan_id, arrangement_id, version, state, follow_up_on, reviewed_on, superseded_at) ON school_arrangement_history TO coordplan_case;
-- Whether a person is placed decides what a reviewer of another controller reads of a school's staff; where is in none of these columns.
GRANT SELECT (subject_id) ON whereabouts TO coordplan_log_review;
