import { BlockList, isIP } from "node:net";

/**
 * How far requests may go: to the internet; into the network that the worker is in, too (its
 * source has a `vpc`); or everywhere there and to this machine (local mode).
 */
export type Network = "internet" | "vpc" | "machine";

/** What is no address of the internet, by who may go there. */
const ranges: [who: Network | "nobody", what: string, subnets: string[]][] = [
  // In Lambda, the interface by which a function gets its events: whoever reaches it reads these.
  ["machine", "a loopback address", ["127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"]],
  // What AWS itself answers to from inside of a machine: metadata, credentials, Lambda's interface.
  ["nobody", "a link-local address", ["169.254.0.0/16", "fe80::/10", "fd00:ec2::/32"]],
  [
    "vpc",
    "a private address",
    // The last two of IPv4 are a carrier's, and a laboratory's; VPCs and VPN clients use them.
    [
      ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15"],
      "fc00::/7",
    ],
  ],
  ["nobody", "a multicast address", ["224.0.0.0/4", "ff00::/8"]],
  [
    "nobody",
    "a reserved address",
    [
      ...["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24"],
      ...["198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"],
      // IPv4 in disguise: compatible, translated, Teredo, 6to4. BlockList knows mapped ones itself.
      ...["::/96", "::ffff:0:0:0/96", "2001::/32", "2002::/16"],
      ...["64:ff9b:1::/48", "100::/8", "2001:db8::/32", "3fff::/20", "4000::/2", "8000::/1"],
    ],
  ],
];

const lists = ranges.map(([who, what, subnets]) => ({ who, what, list: blockList(subnets) }));

function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = "", bits = ""] = subnet.split("/");
    if (isIP(net) === 6) {
      list.addSubnet(net, Number(bits), "ipv6");
      continue;
    }
    list.addSubnet(net, Number(bits), "ipv4");
    // Behind a NAT64, where also the internet's IPv4 addresses look like this.
    list.addSubnet(`64:ff9b::${net}`, 96 + Number(bits), "ipv6");
  }
  return list;
}

/** Pure: why nothing may be sent to an address; undefined where it may. */
export function refusal(address: string, network: Network): string | undefined {
  const [bare = ""] = address.split("%");
  const version = isIP(bare);
  if (version === 0) return "no address";
  const found = lists.find(({ list }) => list.check(bare, version === 6 ? "ipv6" : "ipv4"));
  if (!found || found.who === network) return undefined;
  return found.who === "vpc" && network === "machine" ? undefined : found.what;
}
