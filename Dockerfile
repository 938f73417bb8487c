# riposte in a container: the binary, its libraries and the certificate authorities, nothing else.
#
#   docker build -t riposte .
#   docker run --read-only --cap-drop ALL -p 8443:8443 -v riposte-journal:/var/lib/riposte \
#       -e RIPOSTE_SECRET -e RIPOSTE_ADMIN_TOKEN riposte

FROM debian:bookworm-slim AS build
WORKDIR /source
COPY cmake/packages.txt cmake/install-packages.sh cmake/
RUN sh cmake/install-packages.sh cmake/packages.txt && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY include include
COPY server server
RUN cmake --preset release -DRIPOSTE_TESTS=OFF && cmake --build --preset release

# The root file system of the image: what the binary is linked with, where the loader looks for it.
FROM build AS root
COPY conf /root-fs/etc/riposte
RUN install -D -s build/release/riposte /root-fs/usr/bin/riposte \
    && ldd build/release/riposte | grep -o '/[^ ]*' | sort -u | xargs -I{} cp -L --parents {} /root-fs \
    && install -D -m 644 /etc/ssl/certs/ca-certificates.crt /root-fs/etc/ssl/certs/ca-certificates.crt \
    && echo 'riposte:x:10001:10001:riposte:/var/lib/riposte:/usr/sbin/nologin' > /root-fs/etc/passwd \
    && echo 'riposte:x:10001:' > /root-fs/etc/group \
    && install -d -o 10001 -g 10001 -m 750 /root-fs/var/lib/riposte \
    && install -d -m 1777 /root-fs/tmp

FROM scratch
COPY --from=root /root-fs /
USER 10001:10001
VOLUME /var/lib/riposte
EXPOSE 8443
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["/usr/bin/riposte", "health"]
ENTRYPOINT ["/usr/bin/riposte"]
CMD ["serve"]
