# riposte in a container: the binary, its libraries and the certificate authorities, nothing else.
#
#   docker build -t riposte --build-arg REVISION=$(git rev-parse HEAD) .
#   docker run --read-only --cap-drop ALL -p 8443:8443 -v riposte-journal:/var/lib/riposte \
#       -e RIPOSTE_SECRET -e RIPOSTE_ADMIN_TOKEN riposte
#
# With --platform linux/arm64 or linux/amd64 it is compiled for that one by a compiler of the machine that builds.

FROM --platform=$BUILDPLATFORM debian:bookworm-slim AS build
ARG TARGETARCH
WORKDIR /source
COPY cmake/packages.txt cmake/install-packages.sh cmake/
RUN sh cmake/install-packages.sh --for "$TARGETARCH" cmake/packages.txt && rm -rf /var/lib/apt/lists/*
COPY . .
RUN sh docker/build.sh "$TARGETARCH" build/riposte
RUN sh docker/root.sh "$TARGETARCH" build/riposte /root-fs \
    && mkdir /root-fs/etc/riposte \
    && cp -r conf/riposte.json conf/rules conf/playbooks conf/events /root-fs/etc/riposte/

FROM scratch
ARG REVISION=unknown
LABEL org.opencontainers.image.title="riposte" \
      org.opencontainers.image.description="A self-defending cloud: answers CloudTrail events with signed AWS calls" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /root-fs /
USER 10001:10001
VOLUME /var/lib/riposte
EXPOSE 8443 9443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["/usr/bin/riposte", "health"]
ENTRYPOINT ["/usr/bin/riposte"]
CMD ["serve"]
