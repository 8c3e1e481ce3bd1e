-- What is written of an incident after it: the draft for its authors, the body for everybody.
CREATE TABLE postmortem (
    incident_id      TEXT PRIMARY KEY REFERENCES incident (id) ON DELETE CASCADE,
    draft            TEXT,
    draft_updated_at INTEGER,
    body             TEXT,
    body_updated_at  INTEGER,
    published_at     INTEGER
) STRICT, WITHOUT ROWID;
