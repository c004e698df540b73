"""Words by which a centre finds its holders: folded and kept by triggers, read by one bounded function."""

from django.db import migrations

FOLD = """
CREATE FUNCTION folded_words(said text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog AS $$
    SELECT ARRAY(
        SELECT DISTINCT left(word, 64)
        FROM regexp_split_to_table(
            translate(lower(said), 'àáâãäåèéêëìíîïòóôõöùúûüçñýÿšžčćđłø', 'aaaaaaeeeeiiiiooooouuuucnyyszccdlo'),
            '[^[:alnum:]]+'
        ) AS word
        WHERE word <> ''
    )
$$
"""

# "De Luca" is found by "de", "luca" and "deluca".
WRITE = """
CREATE FUNCTION write_holder_words(person cms_holder, centre bigint) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    INSERT INTO cms_holderword (centre_id, holder_id, word)
    SELECT centre, person.id, word
    FROM unnest(folded_words(
        concat_ws(' ', person.surname, person.given_name, person.tax_code,
                  regexp_replace(person.surname, '[^[:alnum:]]+', '', 'g'))
    )) AS word
$$
"""

ON_REGISTRATION = """
CREATE FUNCTION follow_registration() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM cms_holderword WHERE holder_id = OLD.holder_id AND centre_id = OLD.centre_id;
    ELSE
        PERFORM write_holder_words(holder, NEW.centre_id) FROM cms_holder holder WHERE holder.id = NEW.holder_id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER registration_words AFTER INSERT OR DELETE ON cms_registration
FOR EACH ROW EXECUTE FUNCTION follow_registration();
"""

ON_HOLDER = """
CREATE FUNCTION follow_holder_names() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    DELETE FROM cms_holderword WHERE holder_id = NEW.id;
    PERFORM write_holder_words(NEW, registration.centre_id)
    FROM cms_registration registration WHERE registration.holder_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER holder_words AFTER UPDATE OF surname, given_name, tax_code ON cms_holder
FOR EACH ROW
WHEN ((OLD.surname, OLD.given_name, OLD.tax_code) IS DISTINCT FROM (NEW.surname, NEW.given_name, NEW.tax_code))
EXECUTE FUNCTION follow_holder_names();
"""

# The longest prefix picks candidates from one index range per centre; the others are asked of each candidate. Ranges
# instead of LIKE: a pattern that is a parameter would not use the index.
FIND = """
CREATE FUNCTION find_holders(centres bigint[], said text, most integer) RETURNS SETOF bigint LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    prefixes text[];
    candidates integer := most;
BEGIN
    SELECT array_agg(word ORDER BY length(word) DESC, word) INTO prefixes FROM unnest(folded_words(said)) AS word;
    IF prefixes IS NULL THEN
        RETURN;
    END IF;
    IF cardinality(prefixes) > 1 THEN
        candidates := greatest(most * 20, 4000);
    END IF;
    RETURN QUERY
    SELECT DISTINCT found.holder_id
    FROM unnest(centres) AS centre(id)
    CROSS JOIN LATERAL (
        SELECT entry.holder_id FROM cms_holderword entry
        WHERE entry.centre_id = centre.id
          AND entry.word ~>=~ prefixes[1] AND entry.word ~<~ (prefixes[1] || chr(1114111))
        ORDER BY entry.word USING ~<~ LIMIT candidates
    ) AS found
    WHERE NOT EXISTS (
        SELECT FROM unnest(prefixes[2:]) AS prefix
        WHERE NOT EXISTS (
            SELECT FROM cms_holderword other
            WHERE other.holder_id = found.holder_id
              AND other.word ~>=~ prefix AND other.word ~<~ (prefix || chr(1114111))
        )
    )
    LIMIT most;
END
$$
"""

FILL = """
SELECT write_holder_words(holder, registration.centre_id)
FROM cms_registration registration JOIN cms_holder holder ON holder.id = registration.holder_id
"""

UNDO = """
DROP TRIGGER registration_words ON cms_registration;
DROP TRIGGER holder_words ON cms_holder;
DROP FUNCTION find_holders(bigint[], text, integer), follow_holder_names(), follow_registration(),
    write_holder_words(cms_holder, bigint), folded_words(text);
"""


class Migration(migrations.Migration):

    dependencies = [("cms", "0002_panel")]

    operations = [
        migrations.RunSQL([FOLD, WRITE, ON_REGISTRATION, ON_HOLDER, FIND, FILL], UNDO),
    ]
