# syntax=docker/dockerfile:1

# The server in Caddy's official image, for a user without rights:
#
#	docker build --build-arg VERSION=v1.2.3 -t edgeauth .
#
# docs/install.md describes its use.
FROM --platform=$BUILDPLATFORM golang:1.26-alpine AS builder
WORKDIR /src
COPY go.mod go.sum newest.mod newest.sum ./
RUN go mod download -modfile=newest.mod
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
	go build -modfile=newest.mod -trimpath -buildvcs=false -tags=nobadger,nomysql,nopgx \
	-ldflags="-s -w -X github.com/edgeauth/edgeauth/caddymodule/command.stamped=$VERSION" \
	-o /out/caddy ./cmd/edgeauth

FROM caddy:2.11.9
RUN addgroup -S -g 10001 edgeauth && adduser -S -D -H -u 10001 -G edgeauth edgeauth \
	&& mkdir -p /data && chown -R 10001:10001 /data && chmod 0700 /data
# The new file has no capability, so that it also starts with no-new-privileges.
COPY --from=builder /out/caddy /usr/bin/caddy
COPY deploy/docker/Caddyfile /etc/caddy/Caddyfile
COPY --chmod=0755 deploy/docker/start /usr/bin/edgeauth-start
# Users, sessions, keys, certificates and the saved configuration. Nothing else is written.
ENV XDG_DATA_HOME=/data XDG_CONFIG_HOME=/data HOME=/data
VOLUME /data
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s \
	CMD ["wget", "-qO", "/dev/null", "http://127.0.0.1:2019/edgeauth/health/ready"]
CMD ["edgeauth-start", "/etc/caddy/Caddyfile"]
