# model_predict on top of the official image of PostgreSQL:
#   docker build -t postgres-model-predict .
#   docker run -e POSTGRES_PASSWORD=... postgres-model-predict
ARG PG_MAJOR=15
FROM postgres:${PG_MAJOR}-bookworm AS build
ARG PG_MAJOR
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc make libc6-dev "postgresql-server-dev-${PG_MAJOR}" \
 && rm -rf /var/lib/apt/lists/*
COPY . /src
WORKDIR /src
RUN make clean && make && make install DESTDIR=/out

FROM postgres:${PG_MAJOR}-bookworm
COPY --from=build /out /
