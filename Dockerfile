# syntax=docker/dockerfile:1

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY scripts/slim.ts ./scripts/
# None of the production dependencies needs its install script. Without npm's list, which has our
# version, and with one time for all files, the layer stays the same while the dependencies do.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && node scripts/slim.ts \
  && rm node_modules/.package-lock.json \
  && find node_modules -exec touch --no-dereference --date=@0 {} +

# The database client and GraphiQL's page. The development dependencies that make them stay here.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json prisma.config.ts ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY prisma ./prisma
COPY scripts/prepare.js scripts/generate.js scripts/build-page.ts ./scripts/
COPY src/graphiql ./src/graphiql
RUN node scripts/prepare.js \
  && find src/database/generated build -exec touch --no-dereference --date=@0 {} +

# What changes least comes first, so that an upgrade loads little.
FROM node:24-slim
# Fonts for the sandbox, which writes the prompt on its images: the second one is for Chinese and
# Japanese.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    fontconfig-config fonts-dejavu-core fonts-droid-fallback \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
# ALLOW_ANONYMOUS is left to whoever publishes the port: without it the service refuses to start.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 DATA_DIR=/data
RUN install --directory --owner=node --group=node /data
COPY --from=dependencies /app/node_modules ./node_modules
COPY prisma ./prisma
COPY --from=build /app/src/database/generated ./src/database/generated
COPY --from=build /app/build ./build
COPY package.json ./
COPY src ./src
# `retouch` is the command line.
RUN ln -s /app/src/cli/main.ts /usr/local/bin/retouch
# What a first start would otherwise make itself: an empty database, and the compiled code.
RUN chown node:node build
USER node
RUN node --disable-warning=ExperimentalWarning src/app/warm-up.ts
VOLUME /data
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--disable-warning=ExperimentalWarning", "src/app/start.ts"]
# `docker build --build-arg SOURCE=… --build-arg REVISION="$(git rev-parse HEAD)"`. At the end, as a
# new value runs again what follows.
ARG VERSION=0.1.0
ARG REVISION=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="Retouch" \
  org.opencontainers.image.description="Self-hosted GraphQL service for AI image editing" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.revision="$REVISION" \
  org.opencontainers.image.source="$SOURCE"
