import { BlockList, isIP } from "node:net";

/**
 * The networks that requests may go to: the internet only, the private network of a source's `vpc`
 * as well, or, in local mode, this machine as well.
 */
export type Network = "internet" | "vpc" | "machine";

interface SpecialRange {
  description: string;
  /** The network that may reach the range: the VPC's range is open to the machine, too. */
  openTo: Network | "nobody";
  subnets: string[];
}

/** The addresses that are not the internet's. */
const specialRanges: SpecialRange[] = [
  {
    // A Lambda function receives its events over loopback, where no API may read them.
    description: "a loopback address",
    openTo: "machine",
    subnets: ["127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"],
  },
  {
    // AWS answers here to requests from inside a machine: metadata, credentials, Lambda's runtime.
    description: "a link-local address",
    openTo: "nobody",
    subnets: ["169.254.0.0/16", "fe80::/10", "fd00:ec2::/32"],
  },
  {
    // VPCs and VPN clients also use 100.64.0.0/10 and 198.18.0.0/15, made for carriers and tests.
    description: "a private address",
    openTo: "vpc",
    subnets: [
      ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15"],
      "fc00::/7",
    ],
  },
  {
    description: "a multicast address",
    openTo: "nobody",
    subnets: ["224.0.0.0/4", "ff00::/8"],
  },
  {
    description: "a reserved address",
    openTo: "nobody",
    subnets: [
      ...["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24"],
      ...["198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"],
      // Teredo and 6to4 hide an IPv4 address. The other two are for documentation.
      ...["2001::/32", "2002::/16", "2001:db8::/32", "3fff::/20"],
    ],
  },
];

const blockLists = specialRanges.map((range) => ({ range, list: createBlockList(range.subnets) }));

/**
 * All that the registries have given out of IPv6, and IPv4 in the forms in which it is sent as IPv6.
 * Everything else is reserved, or another disguise of IPv4.
 */
const assigned = new BlockList();
assigned.addSubnet("2000::", 3, "ipv6");
assigned.addSubnet("64:ff9b::", 96, "ipv6");
// BlockList takes a mapped address for the IPv4 address in it.
assigned.addSubnet("0.0.0.0", 0, "ipv4");

function createBlockList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = "", bits = ""] = subnet.split("/");
    if (isIP(net) === 6) {
      list.addSubnet(net, Number(bits), "ipv6");
      continue;
    }
    list.addSubnet(net, Number(bits), "ipv4");
    // A NAT64 writes every IPv4 address in this form, the internet's included.
    list.addSubnet(`64:ff9b::${net}`, 96 + Number(bits), "ipv6");
  }
  return list;
}

/** Returns why no request may go to an address, or undefined if one may. */
export function refuseAddress(address: string, network: Network): string | undefined {
  const [withoutZone = ""] = address.split("%");
  const version = isIP(withoutZone);
  if (version === 0) return "no address";
  const family = version === 6 ? "ipv6" : "ipv4";
  const range = blockLists.find(({ list }) => list.check(withoutZone, family))?.range;
  if (!range) return assigned.check(withoutZone, family) ? undefined : "a reserved address";
  if (range.openTo === network) return undefined;
  const isOpenVpc = range.openTo === "vpc" && network === "machine";
  return isOpenVpc ? undefined : range.description;
}
