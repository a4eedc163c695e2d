FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd cmd
COPY app app
ARG VERSION=
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /sheaf ./cmd/sheaf

# Debian's git comes with Perl and a hundred programs; what is needed of it is
# one file that has all of them in it that are used here.
FROM debian:bookworm-slim AS git
RUN apt-get update && apt-get install -y --no-install-recommends git

FROM debian:bookworm-slim
ARG VERSION=
LABEL org.opencontainers.image.title="Sheaf" \
      org.opencontainers.image.description="A blog that people read with ssh" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT"
RUN apt-get update && apt-get install -y --no-install-recommends rsync libpcre2-8-0 zlib1g \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* && install -d /usr/share/git-core/templates
COPY --from=git /usr/bin/git /usr/bin/git
COPY --from=build /sheaf /usr/local/bin/sheaf
COPY content /usr/local/share/sheaf/content
# The number is fixed so that a folder of the host can be given to it: chown -R 10001 DIR.
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin sheaf \
    && install -d -o sheaf -g sheaf -m 755 /data
USER 10001
WORKDIR /data
ENV SHEAF_CONTENT=/data/content \
    SHEAF_KEYS=/data/keys \
    SHEAF_STARTER=/usr/local/share/sheaf/content \
    SHEAF_ADDR=:2222
VOLUME /data
EXPOSE 2222
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/usr/local/bin/sheaf", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/sheaf"]
CMD ["serve"]
