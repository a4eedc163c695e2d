FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd cmd
COPY app app
ARG VERSION=
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /sheaf ./cmd/sheaf

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Sheaf" \
      org.opencontainers.image.description="A blog that people read with ssh" \
      org.opencontainers.image.licenses="MIT"
RUN apt-get update && apt-get install -y --no-install-recommends git rsync && rm -rf /var/lib/apt/lists/*
COPY --from=build /sheaf /usr/local/bin/sheaf
COPY content /data/content
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin sheaf \
    && mkdir -p /data/keys && chown -R sheaf /data
USER sheaf
WORKDIR /data
ENV SHEAF_CONTENT=/data/content SHEAF_KEYS=/data/keys SHEAF_ADDR=:2222
VOLUME /data
EXPOSE 2222
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/usr/local/bin/sheaf", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/sheaf"]
CMD ["serve"]
