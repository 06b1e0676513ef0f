-- +goose Up

-- A board is its owner's: a user of our own, or a subject of an identity provider's tokens. When a user is deleted, shared boards
-- stay as nobody's, and private ones are of no use to anybody.
CREATE TABLE boards (
    id         text PRIMARY KEY,                        -- random
    username   text REFERENCES users ON DELETE SET NULL, -- the next user of that name does not inherit it
    subject    text,
    name       text NOT NULL,
    shared     boolean NOT NULL,
    version    integer NOT NULL DEFAULT 1,              -- one more with each change
    document   jsonb NOT NULL,                          -- the tiles
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX boards_username ON boards (username);
CREATE INDEX boards_subject ON boards (subject);
CREATE INDEX boards_shared ON boards (shared) WHERE shared;
