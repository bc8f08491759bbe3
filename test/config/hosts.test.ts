import { expect, test } from "vitest";
import { isExampleHost } from "../../packages/core/src/config/hosts.ts";

test.each([
  "https://example.com",
  "https://api.example.com/v2",
  "https://API.EXAMPLE.COM",
  "https://api.eu.example.org:8443",
  "http://example.net/",
  "https://example.com./v1",
  "https://crm.example",
  "https://crm.test",
  "https://not.there.invalid",
  "http://localhost:4010",
  "http://api.localhost",
  "http://127.0.0.1:4010/v1",
  "http://127.1.2.3",
  "http://127.1",
  "http://[::1]:4010",
])("%s is the URL of an example host", (url) => expect(isExampleHost(url)).toBe(true));

test.each([
  "https://api.hubspot.com",
  "https://myexample.com",
  "https://example.co",
  "https://example.com.evil.io",
  "https://example.io",
  "https://test.io",
  "https://127.example.de",
  "http://10.0.0.5",
  "http://128.0.0.1",
  "http://[2001:db8::1]",
  "https://acme.io/example.com",
  "https://acme.io?host=example.com",
])("%s may be the URL of a real host", (url) => expect(isExampleHost(url)).toBe(false));
