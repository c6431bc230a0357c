# docker build -t radio .
# docker run -p 8000:8000 -e CONTROL_TOKEN=some-words radio      the controls ask for the token
# docker run -p 8000:8000 radio serve --host 0.0.0.0 --no-control   nobody can turn them
FROM python:3.11-slim AS build
# The native engine is compiled here; the image itself needs no compiler.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev
WORKDIR /src
COPY pyproject.toml setup.py README.md LICENSE stations.yaml ./
COPY kernels/cpu kernels/cpu
COPY radio radio
# The last command fails where the engine was left out, which an installation by itself would not.
RUN python -m venv /opt/radio && /opt/radio/bin/pip install --no-cache-dir . \
    && cd / && /opt/radio/bin/python -c "import radio.model._native"

FROM python:3.11-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg fluid-soundfont-gm libfluidsynth3 libportaudio2 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 radio
COPY --from=build /opt/radio /opt/radio
ENV PATH=/opt/radio/bin:$PATH PYTHONUNBUFFERED=1
USER radio
# A stations.yaml mounted here takes the place of the shipped one.
WORKDIR /home/radio
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["radio", "serve", "--host", "0.0.0.0"]
