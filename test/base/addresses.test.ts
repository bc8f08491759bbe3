import { describe, expect, test } from "vitest";
import { type Network, refuseAddress } from "../../packages/core/src/base/addresses.ts";

/** The networks from which an address may be reached. */
const openNetworks = (address: string) =>
  (["internet", "vpc", "machine"] as Network[]).filter(
    (network) => !refuseAddress(address, network),
  );

describe("addresses that requests may go to (P16)", () => {
  test.each([
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "169.253.0.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2000::1",
    "2001:4860:4860::8888",
    "3ffe:ffff::1",
    "::ffff:8.8.8.8",
    // A NAT64 writes all of IPv4 in this form.
    "64:ff9b::808:808",
  ])("the address %s of the internet is open to every source", (address) =>
    expect(openNetworks(address)).toEqual(["internet", "vpc", "machine"]));

  test.each([
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "fd12::1",
    "::ffff:10.0.0.1",
    "::ffff:a00:1",
    "64:ff9b::10.0.0.1",
  ])("the private address %s is open to a source with a vpc and in local mode", (address) => {
    expect(openNetworks(address)).toEqual(["vpc", "machine"]);
    expect(refuseAddress(address, "internet")).toBe("a private address");
  });

  test.each([
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "64:ff9b::7f00:1",
  ])("the loopback address %s is open in local mode only", (address) => {
    expect(openNetworks(address)).toEqual(["machine"]);
    expect(refuseAddress(address, "vpc")).toBe("a loopback address");
  });

  test.each([
    ["the metadata of a machine", "169.254.169.254"],
    ["the metadata of a container, with its credentials", "169.254.170.2"],
    ["the API of Lambda's runtime", "169.254.100.1"],
    ["the metadata over IPv6", "fd00:ec2::254"],
    ["the metadata as a mapped address", "::ffff:169.254.169.254"],
    ["the metadata through a NAT64", "64:ff9b::a9fe:a9fe"],
    ["the metadata by 6to4", "2002:a9fe:a9fe::1"],
    ["the metadata by Teredo", "2001:0:1234::1"],
    ["loopback as a compatible address", "::127.0.0.1"],
    ["loopback as a translated address", "::ffff:0:127.0.0.1"],
    ["a link-local address", "fe80::1"],
    ["a link-local address with a zone", "fe80::1%eth0"],
    ["a multicast address", "224.0.0.1"],
    ["a multicast address of IPv6", "ff02::1"],
    ["the broadcast address", "255.255.255.255"],
    ["an address for documentation", "192.0.2.1"],
    ["an unassigned address", "9000::1"],
    ["a site-local address", "fec0::1"],
    ["an address for segment routing", "5f00::1"],
    ["an address before those of the registries", "1fff:ffff::1"],
    ["an address after those of the registries", "4000::1"],
    ["a discarded address", "100::1"],
    ["a local NAT64", "64:ff9b:1::808:808"],
    ["an address near NAT64", "64:ff9b:0:1::1"],
    ["the internet as a compatible address", "::8.8.8.8"],
    ["documentation", "2001:db8::1"],
    ["newer documentation", "3fff::1"],
    ["a host name", "localhost"],
  ])("no source may reach %s: %s", (_, address) => expect(openNetworks(address)).toEqual([]));
});
