import { describe, expect, test } from "vitest";
import { type Network, refuseAddress } from "../../packages/core/src/base/addresses.ts";

/** Where each of them may go: the internet, also a vpc's network, also this machine. */
const open = (address: string) =>
  (["internet", "vpc", "machine"] as Network[]).filter((one) => !refuseAddress(address, one));

describe("addresses (P16)", () => {
  test.each([
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "169.253.0.1",
    "223.255.255.255",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    // Behind a NAT64 all of IPv4 looks so.
    "64:ff9b::808:808",
  ])("%s is the internet's", (address) =>
    expect(open(address)).toEqual(["internet", "vpc", "machine"]));

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
  ])("%s is a private network's", (address) => {
    expect(open(address)).toEqual(["vpc", "machine"]);
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
  ])("%s is this machine's", (address) => {
    expect(open(address)).toEqual(["machine"]);
    expect(refuseAddress(address, "vpc")).toBe("a loopback address");
  });

  test.each([
    ["the metadata of a machine", "169.254.169.254"],
    ["that of a container, with its credentials", "169.254.170.2"],
    ["the API of Lambda's runtime", "169.254.100.1"],
    ["the metadata over IPv6", "fd00:ec2::254"],
    ["the metadata, mapped", "::ffff:169.254.169.254"],
    ["the metadata behind a NAT64", "64:ff9b::a9fe:a9fe"],
    ["the metadata by 6to4", "2002:a9fe:a9fe::1"],
    ["the metadata by Teredo", "2001:0:1234::1"],
    ["loopback, compatible", "::127.0.0.1"],
    ["loopback, translated", "::ffff:0:127.0.0.1"],
    ["link-local", "fe80::1"],
    ["link-local with a zone", "fe80::1%eth0"],
    ["multicast", "224.0.0.1"],
    ["multicast over IPv6", "ff02::1"],
    ["broadcast", "255.255.255.255"],
    ["for documentation", "192.0.2.1"],
    ["unassigned", "9000::1"],
    ["site-local", "fec0::1"],
    ["no address", "localhost"],
  ])("%s is nobody's: %s", (_, address) => expect(open(address)).toEqual([]));
});
