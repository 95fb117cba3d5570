# syntax=docker/dockerfile:1
# One file for every service: docker build --build-arg SERVICE=ingest .
FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
ARG SERVICE
WORKDIR /source
COPY . .
ENV NUGET_PACKAGES=/packages
# The link gives every service the same entry point, whatever its assembly is called.
RUN --mount=type=cache,target=/packages \
    dotnet publish "services/$SERVICE/$SERVICE.csproj" --configuration Release --output /app \
    && ln -s "$(dotnet msbuild "services/$SERVICE/$SERVICE.csproj" -getProperty:AssemblyName)" /app/service

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble
# A new volume mounted here takes over its owner.
RUN mkdir /data && chown "$APP_UID" /data
WORKDIR /app
COPY --from=build /app .
USER $APP_UID
ENTRYPOINT ["./service"]
