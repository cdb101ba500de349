/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All links of a namespace as the kernel has them now: their state and counters, and which link is
 * above which. Supervisor only; reads, never changes.
 */
#ifndef SEKISHO_BOX_DEVICES_H
#define SEKISHO_BOX_DEVICES_H

#include "appliance/box/rtnl.h"

/* devices of one namespace, more than a policy can name. Further ones are not read; `more` is
 * then set */
#define DEVICES_MAX 600u

struct device {
	uint32_t index, mtu;
	/* index of the device of which it is a port (bridge, bond, team, VRF), 0 = none */
	uint32_t master;
	/* index of the device below it (VLAN, macvlan); 0 = none, or in another namespace */
	uint32_t parent;
	char name[16];
	char kind[16];		/* "veth", "bridge"; "" = hardware */
	char above[16];		/* kind of its master */
	uint8_t mac[32], n_mac; /* its present hardware address */
	uint8_t own[32], n_own; /* its permanent hardware address; n_own 0 = none */
	bool elsewhere;		/* the device below it, or its other end, is in another namespace */
	uint32_t under;		/* index of the device below it in any namespace; 0 = none */
	/* if `elsewhere`: the id that the other namespace has within this namespace */
	int32_t under_nsid;
	uint16_t vlan; /* kind "vlan": the VLAN id */
	/* kind "vlan": 802.1Q, without optional functions such as GVRP */
	bool vlan_plain;
	bool ours; /* this program made it: RTNL_ALIAS */
	bool up, carrier, loopback, xdp;
	bool mute;	  /* rtnl.h */
	uint32_t changes; /* how often its link went up or down since the device exists */
	uint64_t rx_packets, rx_bytes, rx_errors, rx_dropped;
	uint64_t tx_packets, tx_bytes, tx_errors, tx_dropped;
};

struct devices {
	struct device list[DEVICES_MAX];
	size_t n;
	bool more;
};

int devices_read(struct rtnl *r, struct devices *ret, struct err *e);
/* Whether `d` lies on the device with that index, whatever its kind; the other end of a pair does
 * not count. nsid -1: the device is in the same namespace; otherwise in the namespace with that
 * id. */
bool device_is_on(const struct device *d, uint32_t index, int32_t nsid);
/* As device_is_on, for VLANs only. */
bool device_lies_on(const struct device *d, uint32_t index, int32_t nsid);
const struct device *devices_find(const struct devices *d, const char *name); /* NULL = not there */
const struct device *devices_at(const struct devices *d, uint32_t index);
/*
 * A device on that link because of which the link cannot be moved: the device would remain in its
 * namespace and go on using the link. Plain VLANs do not count: they are deleted, and was_give_back
 * creates them again. NULL = there is none.
 */
const struct device *devices_stays(const struct devices *d, uint32_t index);
/* Whether the device is one end of a pair. */
bool device_is_pair(const struct device *d);

#endif
