# docker build -t radio .
# docker run --init --read-only --tmpfs /tmp -v radio:/var/lib/radio -p 8000:8000 -e CONTROL_TOKEN=some-words radio
# docker run -p 8000:8000 radio radio serve --host 0.0.0.0 --no-control   # controls cannot be changed
# configs/deploy/compose.yaml adds monitoring and Icecast.
FROM python:3.11-slim AS build
# The native engine is compiled here; the final image needs no compiler.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/radio && /opt/radio/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml setup.py README.md LICENSE stations.yaml ./
COPY kernels/cpu kernels/cpu
COPY kernels/audio kernels/audio
COPY radio radio
# The last command fails where the engine was left out; the installation alone would not.
RUN /opt/radio/bin/pip install --no-cache-dir --no-deps . \
    && cd / && /opt/radio/bin/python -c "import radio.audio._native, radio.model._native"

FROM python:3.11-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg libfluidsynth3 libportaudio2 tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 radio \
    && install --directory --owner radio --group radio /var/lib/radio
COPY --from=build /opt/radio /opt/radio
# State is written to /var/lib/radio/radio only, so the root file system may be read-only.
ENV PATH=/opt/radio/bin:$PATH PYTHONUNBUFFERED=1 XDG_STATE_HOME=/var/lib/radio RADIO_PORT=8000
USER radio
# A stations.yaml mounted here replaces the shipped one.
WORKDIR /home/radio
EXPOSE 8000
VOLUME /var/lib/radio
# Stations need a while to load, and one that is late recovers by itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=6 \
    CMD ["sh", "-c", "exec python -c \"import urllib.request; urllib.request.urlopen('http://127.0.0.1:$RADIO_PORT/readyz', timeout=4)\""]
STOPSIGNAL SIGTERM
# tini collects the processes that workers leave behind, and passes signals on.
ENTRYPOINT ["tini", "--"]
CMD ["sh", "-c", "exec radio serve --host 0.0.0.0 --port $RADIO_PORT"]
