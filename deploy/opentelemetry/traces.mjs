/**
 * Loads OpenTelemetry's SDK for Node.js before the service, which records spans then: see
 * docs/traces.md. The SDK is not a dependency of Retouch: `npm install @opentelemetry/sdk-node`.
 * It reads the `OTEL_` variables, such as OTEL_SERVICE_NAME and OTEL_EXPORTER_OTLP_ENDPOINT.
 */
import { NodeSDK } from '@opentelemetry/sdk-node';

new NodeSDK().start();
