# A node of Usher as an image. The same TypeScript that runs from a clone: nothing is compiled.
#
#   docker build --tag usher .
#   docker run --rm usher config            every setting, its default and what it means
#   docker run --detach --name usher --read-only --tmpfs /tmp --cap-drop ALL \
#     --security-opt no-new-privileges --volume usher-data:/data --env-file my.env \
#     --publish 127.0.0.1:8080:8080 usher   one node on SQLite; my.env as deploy/example.env
#   docker stop --time 60 usher             SIGTERM: shards move away, open requests are answered, exit code 0
#
# deploy/compose.yaml has three nodes and the servers they stand on. `npm run docker:check` builds and tries it.
#
# Where the two images below can't be pulled, name others: the build stage needs `node`, at /usr/local/bin, and
# `npm` on its PATH; the base needs glibc and libstdc++ of the same age or newer, and not even a shell.
ARG BUILD_IMAGE=node:26.10.0-bookworm-slim
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /usher
COPY package.json package-lock.json .npmrc ./
# Without optional packages: to npm the TypeScript compiler is one, as valibot can do with it or without.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
  # What Node may be linked against and a slim base does not bring. /usr/lib is searched without a cache of names.
  && mkdir -p /image/usr/lib /image/data \
  && ldd "$(command -v node)" | awk '$1 ~ /^libatomic/ { print $3 }' | xargs -r cp -t /image/usr/lib

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Usher" \
  org.opencontainers.image.description="Self-hosted, in-memory seat allocator for high-contention ticket drops" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"

COPY --from=build /image/usr/lib/ /usr/lib/
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /usher
COPY --from=build /usher/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src

# A volume that is mounted here for the first time takes its owner over.
COPY --from=build --chown=10001:10001 /image/data /data
# A number: Kubernetes' runAsNonRoot can tell that it is not root.
USER 10001:10001

# HOST: a loopback in a container is nobody's. The admin port stays on it until ADMIN_HOST says otherwise.
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data
# Public, admin, and between nodes.
EXPOSE 8080 8081 8082

# Alive, not ready: a node that waits for its database must not be replaced for that.
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8080}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

# Node itself is process 1, and handles the signal.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "src/main.ts"]
CMD ["serve"]
