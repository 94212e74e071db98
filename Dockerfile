# syntax=docker/dockerfile:1

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Only the production dependencies, as locked; none of them needs its install script. `npm ci` would
# also install the development dependencies that others name as optional peers.
RUN npm pkg delete devDependencies && npm install --ignore-scripts --no-audit --no-fund

# The database client and GraphiQL's page. The development dependencies that make them stay here.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json prisma.config.ts ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY prisma ./prisma
COPY scripts/prepare.js scripts/generate.js scripts/build-page.ts ./scripts/
COPY src/graphiql ./src/graphiql
RUN node scripts/prepare.js

FROM node:24-slim
# A font for the sandbox, which writes the prompt on its images.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends fontconfig-config fonts-dejavu-core \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
# ALLOW_ANONYMOUS is left to whoever publishes the port: without it the service refuses to start.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 DATA_DIR=/data
RUN install --directory --owner=node --group=node /data
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY prisma ./prisma
COPY src ./src
COPY --from=build /app/src/database/generated ./src/database/generated
COPY --from=build /app/build ./build
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
