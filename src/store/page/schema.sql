CREATE TABLE page (
    id         TEXT PRIMARY KEY,
    platform   TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    time_zone  TEXT NOT NULL,
    position   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    retired    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE component_group (
    id         TEXT PRIMARY KEY,
    page_id    TEXT NOT NULL REFERENCES page (id),
    name       TEXT NOT NULL,
    position   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    retired    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE component (
    id          TEXT PRIMARY KEY,
    page_id     TEXT NOT NULL REFERENCES page (id),
    group_id    TEXT REFERENCES component_group (id),
    name        TEXT NOT NULL,
    description TEXT,
    position    INTEGER NOT NULL,
    status      TEXT NOT NULL DEFAULT 'operational',
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    retired     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX component_of_page ON component (page_id, position);

CREATE TABLE incident (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT NOT NULL UNIQUE,
    page_id         TEXT NOT NULL REFERENCES page (id),
    name            TEXT NOT NULL,
    status          TEXT NOT NULL,
    worst_impact    TEXT NOT NULL,
    impact_override TEXT,
    metadata        TEXT NOT NULL DEFAULT '{}',
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    monitoring_at   INTEGER,
    resolved_at     INTEGER
) STRICT;
CREATE INDEX incident_of_page ON incident (page_id, number);
-- One incident for each key of the publisher, whatever happens to its requests.
CREATE UNIQUE INDEX incident_key ON incident (page_id, json_extract(metadata, '$.farol.k'))
    WHERE json_extract(metadata, '$.farol.k') IS NOT NULL;

CREATE TABLE incident_component (
    incident_id  TEXT NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    component_id TEXT NOT NULL REFERENCES component (id),
    PRIMARY KEY (incident_id, component_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident_update (
    number                INTEGER PRIMARY KEY AUTOINCREMENT,
    id                    TEXT NOT NULL UNIQUE,
    incident_id           TEXT NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    status                TEXT NOT NULL,
    body                  TEXT NOT NULL,
    deliver_notifications INTEGER NOT NULL,
    affected_components   TEXT NOT NULL,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL
) STRICT;
CREATE INDEX update_of_incident ON incident_update (incident_id, number);

-- The Idempotency-Key headers that were carried out, and on which incident.
CREATE TABLE carried_out (
    page_id     TEXT NOT NULL REFERENCES page (id),
    key         TEXT NOT NULL,
    incident_id TEXT NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    PRIMARY KEY (page_id, key)
) STRICT, WITHOUT ROWID;
