# docker build -t radio .
# docker run -p 8000:8000 -e CONTROL_TOKEN=some-words radio         # controls can be changed with the token
# docker run -p 8000:8000 radio radio serve --host 0.0.0.0 --no-control   # controls cannot be changed
FROM python:3.11-slim AS build
# The native engine is compiled here; the final image needs no compiler.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/radio && /opt/radio/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml setup.py README.md LICENSE stations.yaml ./
COPY kernels/cpu kernels/cpu
COPY radio radio
# The last command fails where the engine was left out; the installation alone would not.
RUN /opt/radio/bin/pip install --no-cache-dir --no-deps . \
    && cd / && /opt/radio/bin/python -c "import radio.model._native"

FROM python:3.11-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg libfluidsynth3 libportaudio2 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 radio
COPY --from=build /opt/radio /opt/radio
ENV PATH=/opt/radio/bin:$PATH PYTHONUNBUFFERED=1
USER radio
# A stations.yaml mounted here replaces the shipped one.
WORKDIR /home/radio
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["radio", "serve", "--host", "0.0.0.0"]
