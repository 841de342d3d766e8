# The postgres image runs this once, while its volume is empty. Passerby needs only a database of its own.
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv password PASSERBY_PASSWORD
CREATE ROLE passerby LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
CREATE DATABASE passerby OWNER passerby;
REVOKE ALL ON DATABASE passerby FROM PUBLIC;
SQL
