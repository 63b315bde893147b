-- A table's columns hold no arrays: they are results.
CREATE TABLE visits (ts timestamp, user_id bigint, pages integer[], words text ARRAY);
