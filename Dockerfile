# syntax=docker/dockerfile:1
FROM docker.io/library/rust:1-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
# What the demo plays, and the platforms that it watches, are part of the binary.
COPY probes probes
COPY tests/scenarios tests/scenarios
# The manifest names them; they are not built.
COPY benches benches
RUN cargo build --release --locked --bin farol

FROM docker.io/library/debian:bookworm-slim
LABEL org.opencontainers.image.title="farol" \
      org.opencontainers.image.description="A synthetic monitoring probe that opens incidents by itself" \
      org.opencontainers.image.licenses="Apache-2.0 OR MIT"
# No package is installed: farol carries root certificates for images that have none.
COPY --from=build /src/target/release/farol /usr/local/bin/farol
# Numeric, so that Kubernetes can see that it is not root. The folder is made here so that a fresh
# volume mounted over it takes its owner.
RUN install -d -o 65532 -g 65532 -m 0700 /var/lib/farol && install -d /etc/farol
USER 65532:65532
ENV FAROL_PROBES=/etc/farol \
    FAROL_STATE_DIR=/var/lib/farol \
    FAROL_LISTEN=0.0.0.0:9321
VOLUME /var/lib/farol
EXPOSE 9321
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["farol", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["farol"]
CMD ["run"]
