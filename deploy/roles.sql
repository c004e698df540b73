-- Run once by the database's image (as its superuser, in the database `sigillo`) when the cluster is made.
-- The owner of the tables, who cannot log in; the login that migrates by becoming the owner; the application, which owns
-- nothing and can neither truncate nor alter; and the two roles that it becomes for pages of the panel, whose row
-- policies let through what lies within the operator's fence.
\set ON_ERROR_STOP on
\getenv migrator_password SIGILLO_DB_MIGRATOR_PASSWORD
\getenv app_password SIGILLO_DB_PASSWORD

CREATE ROLE sigillo_owner NOLOGIN;
CREATE ROLE sigillo_migrator LOGIN PASSWORD :'migrator_password' IN ROLE sigillo_owner;
CREATE ROLE sigillo_panel NOLOGIN;
CREATE ROLE sigillo_provider NOLOGIN;
-- NOINHERIT: it may become a fenced role, it does not fall under that role's policies.
CREATE ROLE sigillo_app LOGIN NOINHERIT PASSWORD :'app_password' IN ROLE sigillo_panel, sigillo_provider;

REVOKE ALL ON DATABASE sigillo FROM PUBLIC;
GRANT CONNECT ON DATABASE sigillo TO sigillo_migrator, sigillo_app;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE, USAGE ON SCHEMA public TO sigillo_owner;
